/**
 * A stream of the process that may fail while a command runs: the reader of a pipe goes away (`| head`), the terminal is
 * closed, the disk of a redirected file fills. Words for it are dropped from then on; the command decides what that means.
 * Called by main.ts; Node and Deno only.
 */
import { WebgrpoError } from "../errors.ts";
import type { BarStream } from "./bar.ts";

/** The side of a process's stream that is needed here. */
export interface ProcessStream {
  write(text: string, done?: () => void): unknown;
  on(name: "error", handler: (error: NodeJS.ErrnoException) => void): unknown;
  isTTY?: boolean;
  columns?: number;
}

export interface GuardedStream extends BarStream {
  /** What made it fail, or null. */
  readonly failure: NodeJS.ErrnoException | null;
  /** Resolves when all that was written is out, or never will be. */
  flushed(): Promise<void>;
}

/** True where whoever read the output has left: a pipe's reader (EPIPE) or the terminal (EIO). */
export const readerLeft = ({ code }: NodeJS.ErrnoException): boolean => code === "EPIPE" || code === "EIO";

/** Guards a stream; `onFailure` is called once, at the first failure. */
export function guardStream(
  stream: ProcessStream,
  onFailure: (error: NodeJS.ErrnoException) => void,
): GuardedStream {
  let failure: NodeJS.ErrnoException | null = null;
  let release: () => void = () => undefined;
  const failed = new Promise<void>((resolve) => {
    release = resolve;
  });
  const fail = (error: NodeJS.ErrnoException) => {
    if (failure) return;
    failure = error;
    release();
    onFailure(error);
  };
  stream.on("error", fail);
  const write = (text: string, done?: () => void) => {
    if (failure) return;
    try {
      stream.write(text, done);
    } catch (error) {
      // Deno throws what a file refuses, and never calls back after it.
      fail(error as NodeJS.ErrnoException);
    }
  };
  return {
    get failure() {
      return failure;
    },
    get isTTY() {
      return stream.isTTY;
    },
    get columns() {
      return stream.columns;
    },
    write: (text) => write(text),
    flushed: () => Promise.race([failed, new Promise<void>((resolve) => write("", resolve))]),
  };
}

/** The error for results that could not be written although somebody waits for them. */
export function outputLost(cause: NodeJS.ErrnoException): WebgrpoError {
  return new WebgrpoError("cli/output-lost", `Cannot write the results to stdout: ${cause.message}`, {
    hint: "Free some space or send the output elsewhere; what a command saves in folders of its own is not touched by this",
    cause,
  });
}

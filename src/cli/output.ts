/**
 * Where a command's words go: results on stdout, everything else on stderr. With `--json`, stdout carries nothing but
 * newline-delimited JSON. Node and Deno only.
 */
import type { Bar, BarStream } from "./bar.ts";
import { createBar } from "./bar.ts";

export interface Output {
  /** True under `--json`. */
  readonly json: boolean;
  /** True where stderr is a terminal. */
  readonly terminal: boolean;
  /** Writes result text and a line break on stdout; nothing under `--json`. */
  print(text: string): void;
  /** Writes result text as it stands on stdout, for streaming; nothing under `--json`. */
  stream(text: string): void;
  /** Writes one JSON line on stdout under `--json`; nothing otherwise. */
  event(value: Readonly<Record<string, unknown>>): void;
  /** Writes one JSON line on stdout in either mode. */
  raw(value: unknown): void;
  /** Writes a message on stderr. */
  note(text: string): void;
  /** Progress bar on stderr, only on a terminal. */
  bar: Bar;
  /** Wraps text in a colour where stderr shows colours. */
  paint(colour: Colour, text: string): string;
}

export type Colour = "bold" | "dim" | "red" | "green" | "yellow";
const codes: Record<Colour, number> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 };

export interface OutputOptions {
  json: boolean;
  env: Readonly<Record<string, string | undefined>>;
  stdout: BarStream;
  stderr: BarStream;
}

/** Tells whether a stream shows colours: a terminal, unless NO_COLOR is set or TERM is dumb. */
export function showsColours(stream: BarStream, env: Readonly<Record<string, string | undefined>>): boolean {
  return stream.isTTY === true && !env.NO_COLOR && env.TERM !== "dumb";
}

/** Makes the output of one command. */
export function createOutput({ json, env, stdout, stderr }: OutputOptions): Output {
  const colours = showsColours(stderr, env);
  const bar = createBar(env.TERM === "dumb" ? { write: () => undefined } : stderr);
  const write = (stream: BarStream, text: string) => {
    bar.clear();
    stream.write(text);
  };
  return {
    json,
    terminal: stderr.isTTY === true,
    print: (text) => json || write(stdout, `${text}\n`),
    stream: (text) => json || write(stdout, text),
    event: (value) => json && write(stdout, `${JSON.stringify(value)}\n`),
    raw: (value) => write(stdout, `${JSON.stringify(value)}\n`),
    note: (text) => write(stderr, `${text}\n`),
    bar,
    paint: (colour, text) => (colours ? `\x1b[${codes[colour]}m${text}\x1b[0m` : text),
  };
}

/**
 * The project's errors: a message that says what was attempted, what was found and what is needed (no trailing
 * period), a stable `code` for the page and the docs, and a `hint` with the next action. Misuse of a function by
 * its caller is a TypeError or RangeError; these classes are for what a user can mend.
 */

export interface ErrorDetail {
  /** The next action, as an imperative sentence. */
  hint?: string;
  cause?: unknown;
}

/** Base of all errors that carry a stable code, for example `gpu/buffer-too-large`. */
export class WebgrpoError extends Error {
  // Written out here and below: a minifier renames classes, and errors that cross to another thread go by their names.
  override name = "WebgrpoError";
  readonly code: string;
  readonly hint: string | undefined;
  constructor(code: string, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = code;
    this.hint = detail.hint;
  }
}

/** No usable WebGPU adapter or device. */
export class GpuUnavailableError extends WebgrpoError {
  override name = "GpuUnavailableError";
}
/** Something needs more than this GPU grants. */
export class GpuLimitError extends WebgrpoError {
  override name = "GpuLimitError";
}
/** The device was lost; every buffer on it is gone. */
export class GpuLostError extends WebgrpoError {
  override name = "GpuLostError";
}
/** A shader failed to compile or a pipeline could not be made. */
export class ShaderError extends WebgrpoError {
  override name = "ShaderError";
}
/** A recipe, flag or setting is wrong; the command line exits with 2. */
export class ConfigError extends WebgrpoError {
  override name = "ConfigError";
}
/** A file, row, model or run directory is unusable. */
export class DataError extends WebgrpoError {
  override name = "DataError";
}
/** A worker died, hung or answered nonsense. */
export class WorkerError extends WebgrpoError {
  override name = "WorkerError";
}

/** `Name [code] message` and, on a second line, the hint: what the command line prints. */
export function describeError(error: unknown): string {
  if (error instanceof WebgrpoError) {
    const hint = error.hint ? `\nHint: ${error.hint}` : "";
    return `${error.name} [${error.code}] ${error.message}${hint}`;
  }
  return error instanceof Error ? (error.stack ?? `${error.name}: ${error.message}`) : String(error);
}

/**
 * Errors on the wire: what a structured clone would lose (class, code, hint, cause) is written out on one side and built
 * again on the other. Both ends of every connection use it; it knows nothing of workers.
 */
import {
  ConfigError,
  DataError,
  GpuLimitError,
  GpuLostError,
  GpuUnavailableError,
  ShaderError,
  WebgrpoError,
  WorkerError,
} from "../errors.ts";

export interface ErrorRecord {
  name: string;
  message: string;
  stack?: string;
  /** Present for the project's own errors. */
  code?: string;
  hint?: string;
  cause?: ErrorRecord;
  /** For what was thrown without being an Error: the value itself, if it can be cloned. */
  thrown?: { value: unknown };
}

const ownClasses: Record<string, typeof WebgrpoError> = {
  ConfigError,
  DataError,
  GpuLimitError,
  GpuLostError,
  GpuUnavailableError,
  ShaderError,
  WebgrpoError,
  WorkerError,
};
const builtInClasses: Record<string, ErrorConstructor> = {
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};
/** Ends a chain of causes that runs in a circle. */
const deepestCause = 8;

function isCloneable(value: unknown): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}

/** Writes a thrown value as plain data. */
export function encodeError(thrown: unknown, depth = 0): ErrorRecord {
  if (!(thrown instanceof Error)) {
    const value = isCloneable(thrown) ? thrown : String(thrown);
    return { name: "Error", message: String(thrown), thrown: { value } };
  }
  const { name, message, stack } = thrown;
  const record: ErrorRecord = { name, message, stack };
  if (thrown instanceof WebgrpoError) {
    record.code = thrown.code;
    record.hint = thrown.hint;
  }
  if (thrown.cause !== undefined && depth < deepestCause) record.cause = encodeError(thrown.cause, depth + 1);
  return record;
}

/** Builds the thrown value again; the stack is that of the other side. */
export function decodeError(record: ErrorRecord): unknown {
  if (record.thrown) return record.thrown.value;
  const { name, message, stack, code, hint } = record;
  const cause = record.cause === undefined ? undefined : decodeError(record.cause);
  let error: Error;
  if (code !== undefined) {
    const OwnError = Object.hasOwn(ownClasses, name) ? ownClasses[name] : WebgrpoError;
    error = new OwnError(code, message, { hint, cause });
  } else {
    const BuiltInError = Object.hasOwn(builtInClasses, name) ? builtInClasses[name] : Error;
    error = new BuiltInError(message, cause === undefined ? undefined : { cause });
    // A DOMException, for example, keeps its name and becomes a plain Error.
    if (error.name !== name) Object.defineProperty(error, "name", { value: name });
  }
  if (stack !== undefined) Object.defineProperty(error, "stack", { value: stack, configurable: true });
  return error;
}

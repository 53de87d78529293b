/**
 * onnxruntime-web (WebAssembly, one thread), loaded at the first use. It is an optional package of 143 MB, so bundlers
 * must not see the import: the built page does without.
 */
import type { InferenceSession } from "onnxruntime-web";
import { WebgrpoError } from "../errors.ts";

export type OnnxRuntime = typeof import("onnxruntime-web");

/** The entry for Node: that for browsers builds addresses from an origin, which Deno's workers do not have. */
const runtimePackage: string = "onnxruntime-web";

/** Errors only: warnings about parts of a graph that are optimised away stay quiet (3 of onnxruntime's severities). */
export const sessionOptions: InferenceSession.SessionOptions = {
  executionProviders: ["wasm"],
  logSeverityLevel: 3,
};

/** @throws WebgrpoError `export/no-runtime` where the package is not installed */
export async function loadOnnxRuntime(): Promise<OnnxRuntime> {
  let runtime: OnnxRuntime;
  try {
    runtime = (await import(/* @vite-ignore */ runtimePackage)) as OnnxRuntime;
  } catch (cause) {
    throw new WebgrpoError(
      "export/no-runtime",
      "Cannot run an ONNX model: the optional package onnxruntime-web is not there",
      {
        hint: "Use the command line, after `npm install` without `--omit=optional`; or export with `--no-verify`",
        cause,
      },
    );
  }
  runtime.env.wasm.numThreads = 1;
  runtime.env.logLevel = "error";
  return runtime;
}

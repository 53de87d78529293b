/** Counting what generators did. */
import type { GeneratorReport } from "./api.ts";

export function emptyReport(): GeneratorReport {
  return {
    generatedTokens: 0,
    prefilledTokens: 0,
    decodeSteps: 0,
    activeRows: 0,
    prefills: 0,
    weightSwaps: 0,
    busyMs: 0,
    idleMs: 0,
    swapMs: 0,
    policyVersion: -1,
  };
}

/** Sums of counts; the newest version. */
export function addReports(a: GeneratorReport, b: GeneratorReport): GeneratorReport {
  const sum = { ...a };
  for (const key of Object.keys(b) as (keyof GeneratorReport)[]) {
    sum[key] = key === "policyVersion" ? Math.max(a[key], b[key]) : a[key] + b[key];
  }
  return sum;
}

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}
interface Gate {
  root: string;
  env: Record<string, string | undefined>;
  note(text: string): void;
}
export const projects: string[];
export const denoFlags: string[];
export function readTestWords(words: string[]): { only: string[]; rest: string[]; problem: string };
export function closingLines(text: string): string[];
export function countTests(lines: string[], code: number): Counts;
export function runTests(words: string[], gate: Gate & { deno: string }): Promise<number>;
export function runChecks(gate: Gate): Promise<number>;

export interface ProgramResult {
  code: number;
  text: string;
}
export function passSignalsOn(): void;
export function wasInterrupted(): boolean;
export function runProgram(
  command: string,
  args: readonly string[],
  options?: {
    cwd?: string;
    env?: Record<string, string | undefined>;
    stdio?: "inherit" | "stderr" | "capture" | "hold" | "ignore";
  },
): Promise<ProgramResult>;
export function packageProgram(root: string, name: string, program?: string): string[] | null;
export function npmProgram(machine: {
  env: Record<string, string | undefined>;
  execPath: string;
  platform: string;
  exists(path: string): boolean;
}): string[];

export interface Machine {
  platform: string;
  arch: string;
  env: Record<string, string | undefined>;
  exists?(path: string): boolean;
}
export function missingPackages(root: string, options?: { development?: boolean }): string;
export function denoTarget(platform: string, arch: string): string;
export function findDeno(root: string, machine: Machine): string | null;
export function preparePackages(options: {
  root: string;
  development: boolean;
  note(text: string): void;
}): Promise<string | null>;

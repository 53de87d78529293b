export interface LinuxMachine {
  platform: string;
  env: Record<string, string | undefined>;
  user: number;
  exists(path: string): boolean;
  list(folder: string): string[];
  read(path: string): string;
  knownLibraries(): string;
  sudoWithoutQuestion(): boolean;
}
export interface VulkanState {
  loader: string | null;
  drivers: string[];
  complete: boolean;
}
export function thisMachine(): LinuxMachine;
export function vulkanState(machine: LinuxMachine): VulkanState;
export function installCommand(machine: LinuxMachine, debianPackages: string[]): string;
export function aptCalls(machine: LinuxMachine, debianPackages: string[]): string[][] | null;
export function installDebian(
  machine: LinuxMachine,
  debianPackages: string[],
  note: (text: string) => void,
): Promise<boolean>;
export function prepareVulkan(note: (text: string) => void, machine?: LinuxMachine): Promise<boolean>;

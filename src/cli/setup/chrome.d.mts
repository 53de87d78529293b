import type { LinuxMachine } from "./vulkan.mjs";

export function findChrome(machine: Pick<LinuxMachine, "platform" | "env" | "exists">): string | null;
export function hasDebianChromium(machine: LinuxMachine): boolean;
export function prepareChrome(note: (text: string) => void, machine?: LinuxMachine): Promise<string | null>;

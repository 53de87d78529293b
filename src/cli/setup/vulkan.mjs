/**
 * Linux only: is there a Vulkan loader and a driver, and how is one installed? A machine that has a driver is never
 * touched. Plain Node, no packages.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { runProgram } from "./programs.mjs";

const packages = ["mesa-vulkan-drivers", "libvulkan1"];

/** The real machine, in the form the pure functions of this file take; tests hand in another. */
export function thisMachine() {
  const read = (path) => {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return "";
    }
  };
  return {
    platform: process.platform,
    env: process.env,
    user: process.getuid?.() ?? -1,
    exists: existsSync,
    list: (folder) => (existsSync(folder) ? readdirSync(folder) : []),
    read,
    knownLibraries: () => spawnSync("ldconfig", ["-p"], { encoding: "utf8" }).stdout ?? "",
    sudoWithoutQuestion: () => spawnSync("sudo", ["-n", "true"], { stdio: "ignore" }).status === 0,
  };
}

const split = (text) => (text ?? "").split(":").filter(Boolean);

/** Folders and files in which the Vulkan loader looks for drivers. */
function driverFiles({ env, exists, list }) {
  const named = split(env.VK_DRIVER_FILES ?? env.VK_ICD_FILENAMES);
  if (named.length > 0) return named.filter(exists);
  const home = env.HOME ?? "";
  const bases = [
    ...split(env.XDG_CONFIG_DIRS ?? "/etc/xdg"),
    "/etc",
    "/usr/local/etc",
    ...(home ? [env.XDG_DATA_HOME ?? `${home}/.local/share`, env.XDG_CONFIG_HOME ?? `${home}/.config`] : []),
    "/usr/local/share",
    "/usr/share",
    ...split(env.XDG_DATA_DIRS),
    "/run/opengl-driver/share",
  ];
  const folders = [...new Set(bases)].map((base) => join(base, "vulkan/icd.d"));
  const found = folders.flatMap((folder) =>
    list(folder)
      .filter((name) => name.endsWith(".json"))
      .map((name) => join(folder, name)),
  );
  return [...found, ...split(env.VK_ADD_DRIVER_FILES).filter(exists)];
}

function findLoader({ env, exists, knownLibraries }) {
  const folders = [
    ...split(env.LD_LIBRARY_PATH),
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/local/lib",
    "/lib64",
    "/run/opengl-driver/lib",
  ];
  const file = folders.map((folder) => join(folder, "libvulkan.so.1")).find(exists);
  if (file) return file;
  return /libvulkan\.so\.1\b.*=> (\S+)/.exec(knownLibraries())?.[1] ?? null;
}

/**
 * What of Vulkan this machine has.
 * @returns {{loader: string | null, drivers: string[], complete: boolean}} other systems than Linux count as complete
 */
export function vulkanState(machine) {
  if (machine.platform !== "linux") return { loader: null, drivers: [], complete: true };
  const loader = findLoader(machine);
  const drivers = driverFiles(machine);
  return { loader, drivers, complete: loader !== null && drivers.length > 0 };
}

/** Which command line installs a package on this Linux, as text for the user. */
export function installCommand(machine, debianPackages) {
  const sudo = machine.user === 0 ? "" : "sudo ";
  if (machine.exists("/usr/bin/apt-get")) {
    return `${sudo}apt-get update && ${sudo}apt-get install -y ${debianPackages.join(" ")}`;
  }
  const chrome = debianPackages.includes("chromium");
  if (machine.exists("/usr/bin/dnf")) {
    return `${sudo}dnf install -y ${chrome ? "chromium" : "mesa-vulkan-drivers vulkan-loader"}`;
  }
  if (machine.exists("/usr/bin/pacman"))
    return `${sudo}pacman -S ${chrome ? "chromium" : "vulkan-swrast vulkan-icd-loader"}`;
  return chrome
    ? "install Chromium with your package manager"
    : "install Mesa's Vulkan drivers with your package manager";
}

/** The apt-get calls that install Debian packages without a question, or null where a question would be asked. */
export function aptCalls(machine, debianPackages) {
  if (machine.platform !== "linux" || !machine.exists("/usr/bin/apt-get")) return null;
  const quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120"];
  const before = machine.user === 0 ? [] : machine.sudoWithoutQuestion() ? ["sudo", "-n"] : null;
  if (!before) return null;
  return [
    [...before, ...quiet, "update"],
    [...before, ...quiet, "install", "-y", "--no-install-recommends", ...debianPackages],
  ];
}

/** Installs Debian packages without a question; false where that is impossible or fails. */
export async function installDebian(machine, debianPackages, note) {
  const calls = aptCalls(machine, debianPackages);
  if (!calls) return false;
  note(`Installing ${debianPackages.join(" ")}`);
  let code = 0;
  for (const [command, ...args] of calls) ({ code } = await runProgram(command, args, { stdio: "stderr" }));
  return code === 0;
}

/**
 * Sees to a Vulkan driver.
 * @returns {Promise<boolean>} false where there is none and none could be installed; the command has been printed
 */
export async function prepareVulkan(note, machine = thisMachine()) {
  const state = vulkanState(machine);
  if (state.complete) return true;
  const missing = state.loader
    ? "no Vulkan driver is installed"
    : "the Vulkan loader libvulkan.so.1 is not installed";
  if (await installDebian(machine, packages, note)) return vulkanState(machine).complete;
  note(`WebGPU needs Vulkan here, and ${missing}.\nHint: ${installCommand(machine, packages)}`);
  return false;
}

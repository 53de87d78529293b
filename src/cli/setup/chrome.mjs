/** Finds Chrome or Chromium, and installs Debian's where that needs no question. Plain Node, no packages. */
import { delimiter, join } from "node:path";
import { installCommand, installDebian, thisMachine } from "./vulkan.mjs";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

function usualPlaces({ platform, env }) {
  if (platform === "darwin") {
    const apps = ["Google Chrome", "Chromium", "Google Chrome Canary"];
    const folders = ["/Applications", `${env.HOME ?? ""}/Applications`];
    return folders.flatMap((folder) => apps.map((app) => `${folder}/${app}.app/Contents/MacOS/${app}`));
  }
  if (platform === "win32") {
    const folders = [env.PROGRAMFILES, env["PROGRAMFILES(X86)"], env.LOCALAPPDATA].filter(Boolean);
    return folders.flatMap((folder) =>
      ["Google\\Chrome", "Chromium"].map((app) => `${folder}\\${app}\\Application\\chrome.exe`),
    );
  }
  const onPath = (env.PATH ?? "").split(delimiter).filter(Boolean);
  const folders = ["/usr/bin", "/usr/local/bin", "/snap/bin", "/opt/google/chrome", ...onPath];
  return folders.flatMap((folder) => names.map((name) => join(folder, name)));
}

/** The browser CHROME_PATH names, else the first in the usual places, else null. */
export function findChrome(machine) {
  const { env, exists } = machine;
  if (env.CHROME_PATH) return exists(env.CHROME_PATH) ? env.CHROME_PATH : null;
  return usualPlaces(machine).find(exists) ?? null;
}

/** True on Debian itself: elsewhere `chromium` may be an empty package that asks for a snap. */
export function hasDebianChromium(machine) {
  return machine.platform === "linux" && /^ID=("?)debian\1$/m.test(machine.read("/etc/os-release"));
}

/**
 * Finds Chrome, or installs Chromium on Debian.
 * @returns {Promise<string | null>} null where there is none; the reason and the command have been printed
 */
export async function prepareChrome(note, machine = thisMachine()) {
  const found = findChrome(machine);
  if (found) return found;
  if (machine.env.CHROME_PATH) {
    note(
      `Cannot find the browser that CHROME_PATH names: ${machine.env.CHROME_PATH}\nHint: correct it, or unset it`,
    );
    return null;
  }
  if (hasDebianChromium(machine) && (await installDebian(machine, ["chromium"], note)))
    return findChrome(machine);
  const remedy =
    machine.platform === "linux"
      ? installCommand(machine, ["chromium"])
      : "install Chrome, or name a Chromium with CHROME_PATH";
  note(`Cannot find Chrome or Chromium for the browser tests.\nHint: ${remedy}`);
  return null;
}

/** Are the npm packages there, of the versions the lock file names? And where is Deno? Plain Node, no packages. */
import { accessSync, chmodSync, constants, existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import { npmProgram, runProgram } from "./programs.mjs";

function readPackages(file) {
  if (!existsSync(file)) return null;
  try {
    return JSON.parse(readFileSync(file, "utf8")).packages ?? null;
  } catch {
    return null; // An unreadable record counts as none: npm writes it anew.
  }
}

/**
 * Says why packages must be installed, or "" when all is there. npm keeps a record of what it installed in
 * node_modules; a package counts when that record and its folder agree with package-lock.json.
 * @param {string} root
 * @param {{development?: boolean}} [options] development: what only tests and checks need counts too
 */
export function missingPackages(root, { development = false } = {}) {
  const wanted = readPackages(join(root, "package-lock.json"));
  if (!wanted) return "";
  const installed = readPackages(join(root, "node_modules", ".package-lock.json"));
  if (!installed) return "packages are not installed";
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === "" || entry.link) continue;
    const found = installed[path];
    if (entry.optional || entry.devOptional || (entry.dev && !development)) {
      if (!found) continue;
    }
    if (!found) return `${path.replace(/^.*node_modules\//, "")} is missing`;
    if (found.version !== entry.version) {
      return `${path.replace(/^.*node_modules\//, "")} is ${found.version}, wanted ${entry.version}`;
    }
    if (!existsSync(join(root, path))) return `${path} was removed`;
  }
  return "";
}

/** The name of Deno's npm package for a platform, without its scope; musl has none. */
export function denoTarget(platform, arch) {
  return platform === "linux" ? `linux-${arch}-glibc` : `${platform}-${arch}`;
}

/**
 * Finds Deno's binary: in its platform package (there even where npm runs no install scripts), in `deno`, on the PATH.
 * @returns {string | null}
 */
export function findDeno(root, { platform, arch, env, exists = existsSync }) {
  const file = platform === "win32" ? "deno.exe" : "deno";
  const places = [
    join(root, "node_modules", "@deno", denoTarget(platform, arch), file),
    join(root, "node_modules", "deno", file),
    ...(env.PATH ?? "")
      .split(platform === process.platform ? delimiter : ":")
      .filter(Boolean)
      .map((folder) => join(folder, file)),
  ];
  return places.find((place) => exists(place)) ?? null;
}

function makeExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
  } catch {
    chmodSync(file, 0o755);
  }
}

const inPackages = (root, file) => file?.startsWith(join(root, "node_modules")) ?? false;

/**
 * Installs the packages where they are missing or stale and gives Deno's binary.
 * @param {{root: string, development: boolean, note: (text: string) => void}} options
 * @returns {Promise<string | null>} null where that did not work; the reason has been printed
 */
export async function preparePackages({ root, development, note }) {
  const machine = { platform: process.platform, arch: process.arch, env: process.env };
  let deno = findDeno(root, machine);
  let reason = missingPackages(root, { development });
  if (reason === "" && !inPackages(root, deno)) reason = "deno is missing";
  if (reason !== "") {
    note(`Installing packages (${reason})`);
    const npm = npmProgram({
      env: process.env,
      execPath: process.execPath,
      platform: process.platform,
      exists: existsSync,
    });
    // Not `npm ci`: it refuses a lock file that was written where other platforms' packages could not be looked up.
    const words = [
      "install",
      "--no-save",
      "--no-audit",
      "--no-fund",
      "--loglevel=error",
      "--include=dev",
      "--include=optional",
    ];
    const { code } = await runProgram(npm[0], [...npm.slice(1), ...words], {
      cwd: root,
      env: { ...process.env, NODE_ENV: undefined },
      stdio: "stderr",
    });
    if (code !== 0) {
      note(
        "Cannot install the packages.\nHint: run `npm install` in the project's folder and read its message",
      );
      return null;
    }
    deno = findDeno(root, machine);
  }
  if (!deno) {
    note(
      `Cannot find Deno for ${machine.platform} ${machine.arch}: the npm package \`deno\` has none.\nHint: put Deno 2.9 or newer on the PATH (https://deno.com)`,
    );
    return null;
  }
  if (process.platform !== "win32") makeExecutable(deno);
  return deno;
}

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findChrome, hasDebianChromium } from "../../src/cli/setup/chrome.mjs";
import { closingLines, countTests, readTestWords } from "../../src/cli/setup/gates.mjs";
import { denoTarget, findDeno, missingPackages } from "../../src/cli/setup/packages.mjs";
import { npmProgram } from "../../src/cli/setup/programs.mjs";
import type { LinuxMachine } from "../../src/cli/setup/vulkan.mjs";
import { aptCalls, installCommand, prepareVulkan, vulkanState } from "../../src/cli/setup/vulkan.mjs";

/** A Linux machine that has these files and nothing else. */
function machine(files: string[], more: Partial<LinuxMachine> = {}): LinuxMachine {
  return {
    platform: "linux",
    env: {},
    user: 1000,
    exists: (path) => files.includes(path),
    list: (folder) =>
      files.filter((file) => file.startsWith(`${folder}/`)).map((file) => file.slice(folder.length + 1)),
    read: () => "",
    knownLibraries: () => "",
    sudoWithoutQuestion: () => false,
    ...more,
  };
}

const loader = "/usr/lib/x86_64-linux-gnu/libvulkan.so.1";

describe("vulkanState()", () => {
  it("needs a loader and a driver", () => {
    expect(vulkanState(machine([]))).toEqual({ loader: null, drivers: [], complete: false });
    expect(vulkanState(machine([loader])).complete).toBe(false);
    expect(vulkanState(machine(["/usr/share/vulkan/icd.d/lvp_icd.x86_64.json"])).complete).toBe(false);
    expect(vulkanState(machine([loader, "/usr/share/vulkan/icd.d/lvp_icd.x86_64.json"]))).toMatchObject({
      loader,
      complete: true,
    });
    expect(vulkanState(machine([loader, "/etc/vulkan/icd.d/nvidia_icd.json"])).complete).toBe(true);
    expect(vulkanState(machine([loader, "/etc/vulkan/icd.d/readme.txt"])).complete).toBe(false);
  });

  it("finds loaders elsewhere and drivers that variables name", () => {
    const listed = machine(["/x/a.json"], {
      env: { VK_ICD_FILENAMES: "/x/none.json:/x/a.json" },
      knownLibraries: () => "\tlibvulkan.so.1 (libc6,x86-64) => /odd/libvulkan.so.1\n",
    });
    expect(vulkanState(listed)).toEqual({
      loader: "/odd/libvulkan.so.1",
      drivers: ["/x/a.json"],
      complete: true,
    });
    const named = machine(["/y/libvulkan.so.1", "/y/b.json", "/etc/vulkan/icd.d/c.json"], {
      env: { LD_LIBRARY_PATH: "/y", VK_DRIVER_FILES: "/y/b.json" },
    });
    expect(vulkanState(named).drivers).toEqual(["/y/b.json"]);
  });

  it("asks nothing of other systems", () => {
    expect(vulkanState(machine([], { platform: "darwin" })).complete).toBe(true);
  });
});

describe("installing without a question", () => {
  const apt = "/usr/bin/apt-get";
  it("updates first, as root or with sudo that asks nothing", () => {
    const asRoot = aptCalls(machine([apt], { user: 0 }), ["a", "b"])!;
    expect(asRoot.map((call) => call.join(" "))).toEqual([
      expect.stringMatching(/apt-get.* update$/),
      expect.stringMatching(/apt-get.* install -y --no-install-recommends a b$/),
    ]);
    expect(asRoot.flat()).not.toContain("sudo");
    expect(aptCalls(machine([apt], { sudoWithoutQuestion: () => true }), ["a"])![0].slice(0, 2)).toEqual([
      "sudo",
      "-n",
    ]);
    expect(aptCalls(machine([apt]), ["a"])).toBeNull();
    expect(aptCalls(machine([], { user: 0 }), ["a"])).toBeNull();
  });

  it("names the command otherwise", async () => {
    const packages = ["mesa-vulkan-drivers", "libvulkan1"];
    expect(installCommand(machine([apt]), packages)).toBe(
      "sudo apt-get update && sudo apt-get install -y mesa-vulkan-drivers libvulkan1",
    );
    expect(installCommand(machine(["/usr/bin/dnf"], { user: 0 }), packages)).toBe(
      "dnf install -y mesa-vulkan-drivers vulkan-loader",
    );
    const notes: string[] = [];
    expect(await prepareVulkan((text) => notes.push(text), machine([apt]))).toBe(false);
    expect(notes.join("\n")).toContain("sudo apt-get install -y mesa-vulkan-drivers libvulkan1");
  });

  it("touches nothing where a driver is", async () => {
    const complete = machine([apt, loader, "/usr/share/vulkan/icd.d/a.json"], { user: 0 });
    expect(await prepareVulkan(() => expect.fail("said something"), complete)).toBe(true);
  });
});

describe("findChrome()", () => {
  it("takes CHROME_PATH, else the usual places", () => {
    expect(
      findChrome(machine(["/usr/bin/chromium", "/my/chrome"], { env: { CHROME_PATH: "/my/chrome" } })),
    ).toBe("/my/chrome");
    expect(findChrome(machine(["/usr/bin/chromium"], { env: { CHROME_PATH: "/none" } }))).toBeNull();
    expect(findChrome(machine(["/usr/bin/chromium"]))).toBe("/usr/bin/chromium");
    expect(findChrome(machine(["/p/google-chrome"], { env: { PATH: "/q:/p" } }))).toBe("/p/google-chrome");
    const mac = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";
    expect(findChrome(machine([mac], { platform: "darwin" }))).toBe(mac);
    const windows = "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe";
    expect(
      findChrome(machine([windows], { platform: "win32", env: { PROGRAMFILES: "C:\\Program Files" } })),
    ).toBe(windows);
    expect(findChrome(machine([]))).toBeNull();
  });

  it("installs Chromium on Debian itself only", () => {
    expect(hasDebianChromium(machine([], { read: () => "NAME=x\nID=debian\n" }))).toBe(true);
    expect(hasDebianChromium(machine([], { read: () => "ID=ubuntu\nID_LIKE=debian\n" }))).toBe(false);
  });
});

describe("missingPackages()", () => {
  const lock = {
    "": { name: "x" },
    "node_modules/a": { version: "1.0.0" },
    "node_modules/tool": { version: "2.0.0", dev: true },
    "node_modules/only-windows": { version: "1.0.0", optional: true },
  };
  function fakeRoot(installed: Record<string, object> | null): string {
    const root = mkdtempSync(join(tmpdir(), "root-"));
    writeFileSync(join(root, "package-lock.json"), JSON.stringify({ packages: lock }));
    if (installed) {
      for (const path of Object.keys(installed)) mkdirSync(join(root, path), { recursive: true });
      writeFileSync(join(root, "node_modules/.package-lock.json"), JSON.stringify({ packages: installed }));
    }
    return root;
  }

  it("accepts what the lock file names, other platforms' packages apart", () => {
    const root = fakeRoot({ "node_modules/a": { version: "1.0.0" } });
    expect(missingPackages(root)).toBe("");
    expect(missingPackages(root, { development: true })).toBe("tool is missing");
  });

  it("notices what is absent, of another version or removed", () => {
    expect(missingPackages(fakeRoot(null))).toBe("packages are not installed");
    expect(missingPackages(fakeRoot({ "node_modules/tool": { version: "2.0.0" } }))).toBe("a is missing");
    expect(missingPackages(fakeRoot({ "node_modules/a": { version: "0.9.0" } }))).toBe(
      "a is 0.9.0, wanted 1.0.0",
    );
    const root = fakeRoot({ "node_modules/a": { version: "1.0.0" } });
    rmSync(join(root, "node_modules/a"), { recursive: true });
    expect(missingPackages(root)).toBe("node_modules/a was removed");
    writeFileSync(join(root, "node_modules/.package-lock.json"), "{");
    expect(missingPackages(root)).toBe("packages are not installed");
  });
});

describe("findDeno()", () => {
  it("needs no install script: the platform package comes first, the PATH last", () => {
    const at = (files: string[]) =>
      findDeno("/r", {
        platform: "linux",
        arch: "x64",
        env: { PATH: "/bin" },
        exists: (path) => files.includes(path),
      });
    const inPackage = "/r/node_modules/@deno/linux-x64-glibc/deno";
    expect(at([inPackage, "/r/node_modules/deno/deno", "/bin/deno"])).toBe(inPackage);
    expect(at(["/r/node_modules/deno/deno", "/bin/deno"])).toBe("/r/node_modules/deno/deno");
    expect(at(["/bin/deno"])).toBe("/bin/deno");
    expect(at([])).toBeNull();
    expect(denoTarget("darwin", "arm64")).toBe("darwin-arm64");
  });
});

describe("npmProgram()", () => {
  it("takes the npm that runs us, else the one beside Node, else the name", () => {
    const at = (env: Record<string, string>, files: string[]) =>
      npmProgram({ env, execPath: "/n/bin/node", platform: "linux", exists: (path) => files.includes(path) });
    expect(at({ npm_execpath: "/x/npm-cli.js" }, ["/x/npm-cli.js"])).toEqual([
      "/n/bin/node",
      "/x/npm-cli.js",
    ]);
    expect(at({}, ["/n/lib/node_modules/npm/bin/npm-cli.js"])[1]).toBe(
      "/n/lib/node_modules/npm/bin/npm-cli.js",
    );
    expect(at({ npm_execpath: "/x/yarn.js" }, ["/x/yarn.js"])).toEqual(["npm"]);
  });
});

describe("test words and counts", () => {
  it("takes --only out and leaves the rest to vitest", () => {
    expect(readTestWords(["--only", "gpu", "norm"])).toEqual({ only: ["gpu"], rest: ["norm"], problem: "" });
    expect(readTestWords(["--only=logic"]).only).toEqual(["logic"]);
    expect(readTestWords(["a"]).only).toEqual(["logic", "gpu", "browser", "page"]);
    expect(readTestWords(["--only", "gup"]).problem).toContain("logic, gpu, browser");
  });

  const closing = [
    "\x1b[2m Test Files \x1b[22m \x1b[31m1 failed\x1b[39m | 3 passed (4)",
    "\x1b[2m      Tests \x1b[22m 2 failed | 65 passed | 4 skipped | 1 todo (72)",
    "   Start at  23:35:02",
    "   Duration  1.02s (transform 273ms)",
  ].join("\n");

  it("sums the runner's closing lines", () => {
    const lines = closingLines(`noise 9 failed\n${closing}\n`);
    expect(lines).toHaveLength(3);
    expect(countTests(lines, 1)).toEqual({ passed: 65, failed: 2, skipped: 5 });
  });

  it("never counts a broken run as a success", () => {
    const broken = closingLines(" Test Files  2 failed | 3 passed (5)\n      Tests  65 passed (65)\n");
    expect(countTests(broken, 1)).toEqual({ passed: 65, failed: 2, skipped: 0 });
    expect(countTests([], 134)).toEqual({ passed: 0, failed: 1, skipped: 0 });
    expect(countTests(closingLines("      Tests  5 passed (5)\n     Errors  1 error\n"), 1).failed).toBe(1);
    expect(countTests([], 0)).toEqual({ passed: 0, failed: 0, skipped: 0 });
  });
});

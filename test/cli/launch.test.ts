import { spawn } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, realpathSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { denoTarget } from "../../src/cli/setup/packages.mjs";

const cli = fileURLToPath(new URL("../../src/cli", import.meta.url));

/** A project of the launcher alone, with a shell script in Deno's place and a Vulkan driver of empty files. */
function fakeProject(script: string) {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "project-")));
  for (const part of ["launch.mjs", "setup"])
    cpSync(join(cli, part), join(root, "src/cli", part), { recursive: true });
  const deno = join(root, "node_modules/@deno", denoTarget(process.platform, process.arch), "deno");
  mkdirSync(join(deno, ".."), { recursive: true });
  writeFileSync(deno, `#!/bin/sh\n${script}\n`);
  for (const file of ["libvulkan.so.1", "driver.json"]) writeFileSync(join(root, file), "");
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    LD_LIBRARY_PATH: root,
    VK_DRIVER_FILES: join(root, "driver.json"),
    XDG_RUNTIME_DIR: undefined,
    npm_lifecycle_event: undefined,
    INIT_CWD: undefined,
  };
  return { root, deno, env };
}

interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  out: string;
}

function launch(
  project: ReturnType<typeof fakeProject>,
  words: string[],
  {
    cwd = project.root,
    env = {},
    onReady,
  }: { cwd?: string; env?: NodeJS.ProcessEnv; onReady?: (pid: number) => void } = {},
): Promise<Ended> {
  const child = spawn(process.execPath, [join(project.root, "src/cli/launch.mjs"), ...words], {
    cwd,
    env: { ...project.env, ...env },
  });
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    out += chunk;
    if (out.includes("ready")) onReady?.(child.pid!);
  });
  return new Promise((resolve) => child.on("close", (code, signal) => resolve({ code, signal, out })));
}

describe.skipIf(process.platform === "win32")("launch.mjs", () => {
  it("runs the command line under Deno and hands on words, exit code and environment", async () => {
    const project = fakeProject('for word in "$@"; do echo "[$word]"; done; echo "$XDG_RUNTIME_DIR"; exit 7');
    const { code, out } = await launch(project, ["train", "--set", "a b=c"]);
    expect(code).toBe(7);
    expect(out.split("\n")).toEqual([
      ...["run", "-A", "--no-lock", "--node-modules-dir=manual", join(project.root, "src/cli/main.ts")].map(
        (w) => `[${w}]`,
      ),
      "[train]",
      "[--set]",
      "[a b=c]",
      tmpdir(),
      "",
    ]);
  });

  it("makes the binary executable where npm ran no install script", async () => {
    const project = fakeProject("exit 0");
    chmodSync(project.deno, 0o644);
    expect((await launch(project, ["doctor"])).code).toBe(0);
  });

  it("tells the folder the user typed in, through npm or not", async () => {
    const project = fakeProject('echo "$INIT_CWD $PWD"');
    const elsewhere = realpathSync(mkdtempSync(join(tmpdir(), "user-")));
    const direct = await launch(project, ["eval"], { cwd: elsewhere });
    expect(direct.out).toBe(`${elsewhere} ${project.root}\n`);
    const byNpm = await launch(project, ["eval"], {
      env: { npm_lifecycle_event: "eval", INIT_CWD: elsewhere },
    });
    expect(byNpm.out).toBe(`${elsewhere} ${project.root}\n`);
  });

  it("outlives Ctrl-C until its child has ended", async () => {
    const project = fakeProject(
      "trap 'echo saving; sleep 0.3; echo saved; exit 130' INT\necho ready\nwhile :; do sleep 0.05; done",
    );
    let sent = false;
    const { code, signal, out } = await launch(project, ["train"], {
      onReady: (pid) => {
        if (!sent) process.kill(pid, "SIGINT");
        sent = true;
      },
    });
    expect({ code, signal }).toEqual({ code: 130, signal: null });
    expect(out).toBe("ready\nsaving\nsaved\n");
  });

  it("reports a child that a signal ended as 128 + n", async () => {
    expect((await launch(fakeProject("kill -9 $$"), ["train"])).code).toBe(137);
  });
});

import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { hasModel } from "../loop/tiny.ts";
import { command, freshFolder, removeFolders, tinyTrain } from "./command.ts";
import { settledCheckpoints } from "./kills.ts";

const mount = (...words: string[]) => spawnSync("mount", words).status === 0;
const mounted: string[] = [];

/** A small file system of its own, where that is permitted. */
async function smallDisk(size: string): Promise<string> {
  const folder = await freshFolder();
  if (!mount("-t", "tmpfs", "-o", `size=${size}`, "tmpfs", folder)) throw new Error(`cannot mount ${folder}`);
  mounted.push(folder);
  return folder;
}
const unmount = () => {
  for (const folder of mounted.splice(0)) spawnSync("umount", ["-l", folder]);
};
const canMount = await smallDisk("1m").then(
  () => true,
  () => false,
);
unmount();
afterEach(unmount);
afterAll(removeFolders);

const everyStep = ["--steps", "4", "--set", "checkpoint.every=1", "--set", "checkpoint.keep=1"];

describe.skipIf(!hasModel || !canMount)("a full disk", () => {
  it("ends the run with its checkpoints whole, and it goes on once there is room", async () => {
    // Weights and both moments are three times 1.6 MB: one checkpoint fits, a second beside it does not.
    const disk = await smallDisk("7m");
    const run = join(disk, "run");
    const { code, stderr } = await command(tinyTrain(run, ...everyStep));
    expect(stderr).toMatch(/DataError \[runs\/disk-full\] .*no space is left/);
    expect(stderr).toMatch(/Hint: Free some space .*--resume/);
    expect(stderr).toContain(`--resume ${run}`);
    expect(code).toBe(1);
    expect(settledCheckpoints(run)).toEqual([1]);
    expect(mount("-o", "remount,size=40m", disk)).toBe(true);
    const rest = await command(["train", "--resume", run]);
    expect(rest.stderr).toContain("Going on from checkpoints/step-000001");
    expect(rest.code).toBe(0);
    expect(settledCheckpoints(run)).toEqual([4]);
  });

  it("is named before anything is trained where there is no room at all", async () => {
    const disk = await smallDisk("64k");
    expect(() => writeFileSync(join(disk, "filler"), new Uint8Array(2 ** 18))).toThrow("ENOSPC");
    const { code, stderr } = await command(tinyTrain(join(disk, "run")));
    expect(stderr).toContain("[runs/disk-full]");
    expect(stderr).not.toContain("GPU:");
    expect(code).toBe(1);
    rmSync(join(disk, "filler"));
    expect(statSync(disk).isDirectory()).toBe(true);
  });
});

describe.skipIf(!hasModel || !canMount)("a read-only run directory", () => {
  it("is named before anything is trained, for a new run and for a resumed one", async () => {
    const disk = await smallDisk("1m");
    const run = join(disk, "old");
    mkdirSync(run);
    writeFileSync(join(run, "recipe.json"), '{"task":{"name":"chain_sum","options":{}}}');
    expect(mount("-o", "remount,ro", disk)).toBe(true);
    for (const words of [tinyTrain(join(disk, "new")), ["train", "--resume", run]]) {
      const { code, stderr } = await command(words);
      expect(stderr).toMatch(/DataError \[runs\/read-only\] .*not allowed \(EROFS\)/);
      expect(stderr).toContain("Hint: ");
      expect(stderr).not.toContain("GPU:");
      expect(code).toBe(1);
    }
  });
});

/** `bench` and `doctor` as commands: exit code, text and JSON. */
import { describe, expect, it } from "vitest";
import { FAMILY_TESTS } from "../../src/bench/self_test.ts";
import { peakFinding, selfTestFindings } from "../../src/cli/commands/doctor.ts";
import { runInProcess } from "../cli/in_process.ts";

async function run(...words: string[]) {
  const ended = await runInProcess(words);
  const events = words.includes("--json")
    ? ended.stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as Record<string, unknown>)
    : [];
  return { events, ...ended };
}

describe("bench", () => {
  it("prints a table of what was chosen", async () => {
    const { code, stdout } = await run("bench", "--only", "clip_coefficient", "--repeats", "1");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^.*timed by (timestamp queries|the clock)\nPeaks: [\d.]+ GFLOP\/s multiply-add/);
    expect(stdout).toMatch(/kernel +sizes +ms +GFLOP\/s +GB\/s +of peak +bound/);
    expect(stdout.match(/^clip_coefficient {2}count 512 /m)).not.toBeNull();
  });

  it("gives nothing but JSON lines with --json", async () => {
    const { code, events } = await run("bench", "--only", "head_finish", "--repeats", "1", "--json");
    expect(code).toBe(0);
    expect(events.map(({ event, set }) => set ?? event)).toEqual(["adapter", "peaks", "small", "wide"]);
    expect(events[2]).toMatchObject({ event: "kernel", name: "head_finish", dims: { rows: 1024 } });
  });

  it("fails where nothing has the name", async () => {
    const { code, stderr } = await run("bench", "--only", "no such kernel");
    expect(code).toBe(1);
    expect(stderr).toContain('No kernel or step has "no such kernel" in its name');
  });
});

describe("doctor", () => {
  it("reports self-test and peaks, and neither with --quick", async () => {
    const { events } = await run("doctor", "--json");
    const findings = events.filter(({ event }) => event === "finding");
    const names = findings.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["adapter", "tier", "limits", "workers", "shared memory"]));
    expect(findings.find(({ name }) => name === "self-test")).toMatchObject({ state: "ok" });
    expect(findings.find(({ name }) => name === "measured peaks")?.found).toMatch(/GFLOP\/s.*GB\/s copy/);
    const tested = events.filter(({ event }) => event === "self-test").map(({ family }) => family);
    expect(tested).toEqual(Object.keys(FAMILY_TESTS));
    const quick = await run("doctor", "--quick", "--json");
    const quickNames = quick.events.map(({ name }) => name);
    expect(quickNames).toContain("limits");
    expect(quickNames).not.toContain("self-test");
    expect(quickNames).not.toContain("measured peaks");
  });

  it("names a family that computes wrong numbers, with what mends it", () => {
    const findings = selfTestFindings([
      { family: "norm", ok: true, kernels: ["rms_norm", "rms_norm"] },
      { family: "mlp", ok: false, kernels: ["swiglu"], problem: "swiglu[0] is 1, 2 wanted" },
    ]);
    expect(findings).toMatchObject([
      { name: "self-test", state: "ok", found: "1 kernels give the right numbers (norm)" },
      { name: "self-test mlp", state: "missing", found: "swiglu[0] is 1, 2 wanted" },
    ]);
    expect(findings[1].remedy).toMatch(/driver/);
  });

  it("shows peaks in giga", () => {
    expect(peakFinding({ flopsPerSecond: 5.55e10, bytesPerSecond: 2.5e9 }).found).toBe(
      "55.5 GFLOP/s multiply-add, 2.5 GB/s copy",
    );
  });
});

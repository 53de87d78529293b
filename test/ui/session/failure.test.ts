import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { GpuLostError } from "../../../src/errors.ts";
import { forPage, pageHint, toFailure } from "../../../src/ui/session/failure.ts";

const root = new URL("../../../src/", import.meta.url);

/** Codes with the hint that follows them in the source. */
function hintsInSource(): { code: string; hint: string }[] {
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter(
    (name) => name.endsWith(".ts") && !/^(cli|bench|conformance|ui)\b/.test(name),
  );
  return files.flatMap((name) => {
    const text = readFileSync(new URL(name.replaceAll("\\", "/"), root), "utf8");
    return [...text.matchAll(/"([a-z]+\/[a-z-]+)"[\s\S]{0,400}?hint:\s*"([^"]+)"/g)].map(
      ([, code, hint]) => ({
        code,
        hint,
      }),
    );
  });
}

describe("pageHint()", () => {
  it("never sends a page's reader to a terminal", () => {
    const all = hintsInSource();
    expect(all.length).toBeGreaterThan(60);
    expect(all.filter(({ hint }) => /npm run|--[a-z]/.test(hint)).length).toBeGreaterThan(3);
    for (const { code, hint } of all)
      expect(pageHint(code, hint) ?? "", code).not.toMatch(/npm run|--[a-z]|apt-get/);
  });

  it("keeps hints that hold in a page", () => {
    expect(pageHint("config/unknown-key", "did you mean `steps`?")).toBe("did you mean `steps`?");
    expect(pageHint(undefined, undefined)).toBeUndefined();
  });

  it("knows what to do when a worker is gone", () => {
    for (const code of [
      "gpu/lost",
      "trainer/died-twice",
      "generator/died-twice",
      "worker/died",
      "worker/silent",
    ])
      expect(pageHint(code, "Everything is saved: go on with --resume."), code).toContain(
        "Go on with the stored run",
      );
  });
});

describe("toFailure()", () => {
  it("says what is stored", () => {
    const error = { name: "WorkerError", message: "died", code: "worker/died" };
    expect(toFailure(error, 7).hint).toMatch(/Go on with the stored run.*Everything up to step 7 is stored/);
    expect(toFailure(error, null).hint).not.toContain("stored");
    expect(toFailure({ ...error, code: "x", hint: "Do it." }, 7).hint).toBe(
      "Do it. Everything up to step 7 is stored",
    );
    expect(toFailure({ name: "Error", message: "odd" }, null)).toEqual({ code: "failed", message: "odd" });
  });

  it("does not take weights that are not finite for a want of memory", () => {
    const cause = { name: "WebgrpoError", message: "not finite", code: "generator/not-finite" };
    const error = { name: "WorkerError", message: "twice", code: "generator/died-twice", cause };
    expect(toFailure(error, null).hint).toMatch(/weights are damaged: choose another/);
    expect(toFailure(error, 4).hint).toMatch(/diverged.*learning rate.*step 4 is stored/);
  });
});

describe("forPage()", () => {
  it("changes the hint alone, and only where it must", () => {
    const cause = new Error("why");
    const lost = new GpuLostError("gpu/lost", "gone", { hint: "go on with --resume", cause });
    const told = forPage(lost) as GpuLostError;
    expect(told).toBeInstanceOf(GpuLostError);
    expect(told).toMatchObject({ code: "gpu/lost", message: "gone", cause: { message: "why" } });
    expect(told.hint).toContain("Go on with the stored run");
    const fine = new GpuLostError("other/code", "gone", { hint: "Try again" });
    expect(forPage(fine)).toBe(fine);
    expect(forPage("text")).toBe("text");
  });
});

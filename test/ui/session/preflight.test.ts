import { describe, expect, it } from "vitest";
import { parseRecipe } from "../../../src/config/parse.ts";
import { ConfigError, GpuUnavailableError } from "../../../src/errors.ts";
import type { MemoryPlan } from "../../../src/planner/plan.ts";
import { encodeError } from "../../../src/rpc/errors.ts";
import type { PageFacts } from "../../../src/ui/session/api.ts";
import {
  aboutTime,
  pageObstacles,
  preflightOf,
  type WorkerFacts,
} from "../../../src/ui/session/preflight.ts";

const MIB = 2 ** 20;
const PAGE: PageFacts = {
  userAgent:
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36",
  brands: ["Google Chrome"],
  platform: "Linux",
  secure: true,
  isolated: true,
  webgpu: true,
  hidden: false,
  wakeLock: true,
};
const PLAN: MemoryPlan = {
  trainer: [
    { what: "weights", bytes: 20 * MIB },
    { what: "moments", bytes: 60 * MIB },
  ],
  generator: [
    { what: "weights", bytes: 15 * MIB },
    { what: "key/value cache", bytes: 5 * MIB },
  ],
  generators: 1,
  host: [{ what: "weight board", bytes: 3 * MIB }],
  trainerBytes: 80 * MIB,
  generatorBytes: 20 * MIB,
  totalBytes: 100 * MIB,
};
const FACTS: WorkerFacts = {
  webgpu: true,
  isolated: true,
  gpu: { adapter: "nvidia ampere", software: false, tier: "f16+subgroups", maxBinding: 128 * MIB },
  gpuError: null,
  need: {
    parameters: 400_000,
    memory: { plan: PLAN, reason: null, fit: null, assumedPrompt: null },
    download: { parts: [], host: "hub.example", siteBytes: 805 * 2 ** 10, guessed: false, adapters: null },
    downloadBytes: 805 * 2 ** 10,
    storedBytes: 20 * MIB,
  },
  needError: null,
  freeBytes: 2 ** 33,
  secondsToGain: { start: 5, gain: 12 },
  training: 0,
};
const recipe = parseRecipe({});
const card = (facts: Partial<WorkerFacts> = {}, page: Partial<PageFacts> = {}, of = recipe) =>
  preflightOf({ ...PAGE, ...page }, { ...FACTS, ...facts }, facts.need === null ? null : of);
const line = (found: ReturnType<typeof card>, key: string) => found.lines.find((one) => one.key === key);

describe("preflightOf()", () => {
  it("tells of a machine that has everything", () => {
    const found = card();
    expect(found.canStart).toBe(true);
    expect(found.lines.every(({ level }) => level === "ok")).toBe(true);
    expect(line(found, "adapter")?.value).toBe("nvidia ampere");
    expect(line(found, "tier")?.value).toContain("f16+subgroups");
    expect(line(found, "memory")?.value).toMatch(/100\sMiB needed; 128\sMiB allowed in one piece/);
    expect(line(found, "download")?.value).toBe("805\u00a0KiB from this site, once");
    expect(line(found, "time")?.value).toBe("about 20 s, of which about 5 s to start");
    const again = card({ secondsToGain: { start: 5, gain: 12, asBefore: true } });
    expect(line(again, "time")?.value).toBe("about 20 s, of which about 5 s to start, as your last run did");
  });

  it("tells apart what may be missing, each with its own remedy", () => {
    const noAdapter = encodeError(
      new GpuUnavailableError("gpu/no-adapter", "no adapter", { hint: "npm run doctor" }),
    );
    const cards = [
      card({}, { secure: false, webgpu: false }),
      card({}, { webgpu: false }),
      card({ webgpu: false }),
      card({ gpu: null, gpuError: noAdapter }),
    ];
    const stops = cards.map(({ lines }) => lines.filter(({ level }) => level === "stop"));
    expect(cards.some(({ canStart }) => canStart)).toBe(false);
    expect(stops.map(({ length }) => length)).toEqual([1, 1, 1, 1]);
    expect(new Set(stops.map(([{ value }]) => value)).size).toBe(4);
    expect(new Set(stops.map(([{ hint }]) => hint)).size).toBe(4);
    expect(stops[0][0].hint).toContain("https://");
    for (const [{ hint }] of stops) expect(hint).not.toContain("npm run");
  });

  it("needs no worker to tell of a browser without WebGPU", () => {
    expect(pageObstacles({ ...PAGE, webgpu: false })).toHaveLength(1);
    expect(pageObstacles({ ...PAGE, secure: false })[0].value).toContain("not secure");
    expect(pageObstacles(PAGE)).toEqual([]);
  });

  it("names the limit that is too small", () => {
    const changes = { "trainer.recompute": true, "trainer.microBatchTokens": 512 };
    const memory = {
      plan: PLAN,
      reason: "this GPU allows 128 MiB",
      fit: { changes, bytes: 50 * MIB },
      assumedPrompt: null,
    };
    const small = card({ need: { ...FACTS.need!, memory } });
    // First of all: on a phone no more than one line is seen at once.
    expect(small.lines.map(({ key }) => key).slice(0, 3)).toEqual(["memory", "adapter", "tier"]);
    expect(line(small, "memory")).toMatchObject({
      level: "stop",
      value: "100\u00a0MiB needed; this GPU allows 128 MiB",
      hint: "It fits with `trainer.recompute` true, `trainer.microBatchTokens` 512: 50\u00a0MiB",
    });
    expect(small.fit).toEqual(changes);
    expect(line(small, "time")).toBeUndefined();
    const hopeless = card({ need: { ...FACTS.need!, memory: { ...memory, plan: null, fit: null } } });
    expect(line(hopeless, "memory")).toMatchObject({ level: "stop", value: "this GPU allows 128 MiB" });
    expect(hopeless.fit).toBeUndefined();
  });

  it("shows the plan by parts", () => {
    expect(line(card(), "memory")?.table).toEqual({
      head: ["For", "Trainer", "Generator"],
      rows: [
        ["weights", "20\u00a0MiB", "15\u00a0MiB"],
        ["moments", "60\u00a0MiB", "–"],
        ["key/value cache", "–", "5.0\u00a0MiB"],
        ["in all", "80\u00a0MiB", "20\u00a0MiB"],
      ],
      foot: "Together 100\u00a0MiB of the GPU. Beside it, in the processor's memory: weight board 3.0\u00a0MiB",
    });
  });

  it("tells what is wrong with the recipe instead of guessing its needs", () => {
    const error = encodeError(
      new ConfigError("config/unknown-key", "Unknown setting `stepz`", { hint: "`steps`?" }),
    );
    const found = card({ need: null, needError: error });
    expect(line(found, "recipe")).toMatchObject({
      level: "stop",
      value: "Unknown setting `stepz`",
      hint: "`steps`?",
    });
    expect(found.canStart).toBe(false);
  });

  it("notes what is slower or less comfortable, and starts all the same", () => {
    const found = card(
      {
        isolated: false,
        training: 1,
        secondsToGain: null,
        gpu: { ...FACTS.gpu!, adapter: "llvmpipe", software: true },
      },
      { isolated: false, wakeLock: false },
    );
    expect(found.canStart).toBe(true);
    for (const key of ["adapter", "isolation", "other", "time", "visibility"])
      expect(line(found, key)?.level, key).toBe("note");
    expect(line(found, "time")?.value).toContain("while another run trains");
  });

  it("looks at the room there is for what is kept", () => {
    expect(line(card({ freeBytes: null }), "files")?.level).toBe("stop");
    expect(line(card({ freeBytes: 10 * MIB }), "storage")?.level).toBe("stop");
    expect(line(card({ freeBytes: 25 * MIB }), "storage")?.level).toBe("note");
    expect(line(card(), "storage")).toBeUndefined();
  });

  it("says what prompts were taken to have where they were not read", () => {
    const memory = { ...FACTS.need!.memory, assumedPrompt: 256 };
    const value = (reason: string | null) =>
      line(card({ need: { ...FACTS.need!, memory: { ...memory, reason } } }), "memory")?.value;
    expect(value(null)).toBe(
      "100\u00a0MiB needed, prompts up to 256 tokens assumed; 128\u00a0MiB allowed in one piece",
    );
    expect(value("too much")).toBe("100\u00a0MiB needed, prompts up to 256 tokens assumed; too much");
  });

  it("asks for a download before the start where something lies on the hub", () => {
    const parts = [{ kind: "model" as const, name: "owner/name", bytes: 1.2 * 2 ** 30 }];
    const download = { ...FACTS.need!.download, parts, siteBytes: null, data: "hub:a/b/c.parquet" };
    const found = card({ need: { ...FACTS.need!, download } });
    expect(line(found, "download")?.value).toBe("1.2\u00a0GiB from hub.example, once");
    expect(found.download).toEqual({
      model: recipe.model,
      names: ["owner/name"],
      bytes: 1.2 * 2 ** 30,
      data: "hub:a/b/c.parquet",
    });
    expect(card().download).toBeUndefined();
    const crowded = card({ need: { ...FACTS.need!, download }, freeBytes: 2 ** 30 });
    expect(line(crowded, "storage")?.value).toBe(
      "20\u00a0MiB for the run and 1.2\u00a0GiB for the model, 1.0\u00a0GiB free",
    );
  });
});

describe("words for numbers", () => {
  it("aboutTime() rounds to what can be compared", () => {
    expect([3, 17, 61, 80, 100, 600, 4000, 20_000].map(aboutTime)).toEqual([
      "about 5 s",
      "about 20 s",
      "about 75 s",
      "about 2 min",
      "about 2 min",
      "about 10 min",
      "about 75 min",
      "about 6 h",
    ]);
  });
});

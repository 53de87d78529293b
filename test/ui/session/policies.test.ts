import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { loadAllWeights } from "../../../src/data/weights_handle.ts";
import { freshAdapters } from "../../../src/model/adapters/init.ts";
import { ADAPTER_CONFIG, adapterFolderFiles } from "../../../src/model/adapters/peft.ts";
import { parseModelConfig } from "../../../src/model/config.ts";
import { freshWeights } from "../../../src/model/init.ts";
import { modelFolderFiles } from "../../../src/runs/model_folder.ts";
import { MODELS } from "../../../src/runs/stored_runs.ts";
import type { ModelAccess } from "../../../src/ui/session/api.ts";
import { findModel } from "../../../src/ui/session/models.ts";
import { findPolicy, openPolicy } from "../../../src/ui/session/policies.ts";
import { type MemoryFiles, memoryFiles, TINY_CONFIG } from "../../runs/memory_files.ts";
import { BASE, serveSite } from "./site.ts";

type Files = Record<string, Uint8Array>;

const config = parseModelConfig(TINY_CONFIG);
const model = modelFolderFiles({ config, tensors: freshWeights(config, 1) });

/** Adapters that add `step` to what the matrices of one module are made of. */
function adapters(baseModel: string | null, step = 0.5, revision: string | null = null): Files {
  const settings = { rank: 1, alpha: 1, targets: ["q_proj"] as const };
  const tensors = freshAdapters(config, settings, 3);
  for (const [name, { data }] of tensors) if (name.includes("lora_B")) data.fill(step);
  return { ...adapterFolderFiles({ settings, tensors, baseModel, revision }) };
}

let memory: MemoryFiles;
beforeEach(() => {
  memory = memoryFiles();
});
afterEach(() => {
  vi.unstubAllGlobals();
});

async function store(name: string, files: Files): Promise<void> {
  for (const [file, bytes] of Object.entries(files))
    await memory.open(`${MODELS}/${name}`).writeFile(file, bytes);
}
const given = (files: Files): Record<string, Blob> =>
  Object.fromEntries(
    Object.entries(files).map(([name, bytes]) => [name, new Blob([bytes as Uint8Array<ArrayBuffer>])]),
  );
const places = (dropped: ModelAccess["dropped"] = {}) => ({
  base: BASE,
  open: memory.open,
  access: { dropped, askHub: false },
});
const below = async (name: string, dropped?: ModelAccess["dropped"]) =>
  (await findPolicy(name, (each) => findModel(each, places(dropped)))).model;

describe("findPolicy()", () => {
  it("finds the model below adapters by every name that it may have here", async () => {
    serveSite({ "models/chain-sum/config.json": TINY_CONFIG, "owner/name/config.json": TINY_CONFIG });
    await store("kept", model);
    const dropped = { base: given(model) };
    for (const [base, found] of [
      ["builtin:chain-sum", "builtin:chain-sum"],
      ["/srv/webgrpo/public/models/chain-sum", "builtin:chain-sum"],
      ["C:\\models\\kept\\", "stored:kept"],
      ["/models/base", "dropped:base"],
      ["stored:base", "dropped:base"],
      ["dropped:kept", "stored:kept"],
      ["owner/name", "owner/name"],
    ]) {
      await store("own", adapters(base));
      expect(await below("stored:own", dropped), base).toBe(found);
    }
    expect(await below("stored:kept", dropped)).toBe("stored:kept");
  });

  it("asks the hub for the revision that the adapters name", async () => {
    await store("own", adapters("owner/name", 0, "abc"));
    const asked: string[] = [];
    const find = (name: string) => {
      asked.push(name);
      return findModel(asked.length > 1 ? "stored:own" : name, places());
    };
    await expect(findPolicy("stored:own", find)).rejects.toMatchObject({ code: "adapter/no-base" });
    expect(asked.slice(0, 3)).toEqual(["stored:own", "owner/name@abc", "owner/name@abc"]);
    // Adapters that lead to themselves have an end.
    expect(asked.length).toBeLessThan(12);
  });

  it("names the model that is missing, and what to do", async () => {
    serveSite({});
    await store("own", adapters("/models/some-base"));
    await expect(below("stored:own")).rejects.toMatchObject({
      code: "adapter/no-base",
      message: expect.stringContaining(
        "in stored:own: the model that they belong to, /models/some-base, is not here",
      ),
      hint: expect.stringContaining("Drop its folder, called some-base, onto the page"),
    });
    await store("nameless", adapters(null));
    await expect(below("stored:nameless")).rejects.toMatchObject({ code: "adapter/no-base" });
    await store("elsewhere", adapters("builtin:none"));
    await expect(below("stored:elsewhere")).rejects.toThrow("builtin:none, is not here");
  });

  it("lets what went wrong with the model itself through", async () => {
    await store("own", adapters("stored:broken"));
    await store("broken", { "config.json": new TextEncoder().encode("{") });
    await expect(openPolicy("stored:own", places())).rejects.toMatchObject({ code: "model/bad-json" });
  });
});

describe("openPolicy()", () => {
  it("merges adapters over adapters into the model as it is read", async () => {
    await store("base", model);
    await store("first", adapters("stored:base", 0.5));
    const second = given(adapters("stored:first", 0.25));
    const weights = async (name: string) =>
      (await loadAllWeights(await openPolicy(name, places({ second })))).tensors;
    const [none, one, two] = await Promise.all(
      ["stored:base", "stored:first", "dropped:second"].map(weights),
    );
    const changed = [...none.keys()].filter((name) =>
      none.get(name)?.data.some((value, i) => value !== one.get(name)?.data[i]),
    );
    expect(changed).toEqual(["model.layers.0.self_attn.q_proj.weight"]);
    const [at] = changed;
    none.get(at)?.data.forEach((value, i) => {
      const step = (one.get(at)?.data[i] ?? 0) - value;
      expect((two.get(at)?.data[i] ?? 0) - value).toBeCloseTo(1.5 * step, 5);
    });
  });

  it("takes the model itself where a folder has both", async () => {
    await store("both", { ...model, ...adapters("stored:none") });
    expect((await openPolicy("stored:both", places())).adapters).toBeUndefined();
    expect(Object.keys(adapters("x"))).toContain(ADAPTER_CONFIG);
  });
});

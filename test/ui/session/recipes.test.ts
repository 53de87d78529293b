import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it, vi } from "vitest";
import { resolveRecipe } from "../../../src/config/resolve.ts";
import { findModel } from "../../../src/ui/session/models.ts";
import { fetchDataFile, resolveOnPage } from "../../../src/ui/session/recipes.ts";
import { memoryFiles, TINY_CONFIG } from "../../runs/memory_files.ts";
import { BASE, serveSite } from "./site.ts";

const shipped = (name: string) =>
  readFileSync(new URL(`../../../public/recipes/${name}.json`, import.meta.url), "utf8");
const SITE = {
  "recipes/default.json": shipped("default"),
  "recipes/smoke.json": shipped("smoke"),
  "recipes/sync.json": shipped("sync"),
  "models/chain-sum/config.json": TINY_CONFIG,
  "mine/config.json": TINY_CONFIG,
  "owner/name/config.json": TINY_CONFIG,
  "data/problems.jsonl": '{"prompt":"1"}\n',
};
const { open } = memoryFiles();
const places = { base: BASE, open };

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("resolveOnPage()", () => {
  it("resolves as the command line does, but for how often it saves", async () => {
    serveSite(SITE);
    for (const name of ["default", "sync"]) {
      const onPage = await resolveOnPage({ extends: name, steps: 12 }, {}, places);
      const elsewhere = await resolveRecipe({
        base: { content: { extends: name, steps: 12 }, where: "here" },
        load: async (parent) => ({ content: shipped(parent), where: parent }),
      });
      expect(onPage).toEqual({ ...elsewhere, checkpoint: { ...elsewhere.checkpoint, every: 5 } });
    }
    expect((await resolveOnPage({}, {}, places)).checkpoint.every).toBe(5);
  });

  it("leaves the saving as the recipe, or one that it extends, sets it", async () => {
    serveSite(SITE);
    expect((await resolveOnPage({ extends: "smoke" }, {}, places)).checkpoint.every).toBe(3);
    expect((await resolveOnPage({ checkpoint: { every: 0 } }, {}, places)).checkpoint.every).toBe(0);
  });

  it("finds recipes and what they name by address", async () => {
    const deep = { extends: "../recipes/default.json", model: "./m", task: null, data: { file: "p.jsonl" } };
    const { task: _, ...recipe } = deep;
    const asked = serveSite({ ...SITE, "own/mine.json": recipe });
    const found = await resolveOnPage({ extends: "own/mine.json" }, {}, places);
    expect(asked).toEqual([`${BASE}own/mine.json`, `${BASE}recipes/default.json`]);
    expect(found.data?.file).toBe(`${BASE}own/p.jsonl`);
    expect(found.model).toBe(`${BASE}own/m`);
  });

  it("refuses with the reason", async () => {
    serveSite(SITE);
    const refused = (recipe: Record<string, unknown>, code: string) =>
      expect(resolveOnPage(recipe, {}, places)).rejects.toMatchObject({ code });
    await refused({ extends: "smke" }, "config/no-recipe");
    await refused({ stepz: 1 }, "config/unknown-key");
    await refused({ extends: "default", trainer: { batchSize: 7 } }, "config/contradiction");
    serveSite({
      "recipes/default.json": '{"extends": "sync"}',
      "recipes/sync.json": '{"extends": "default"}',
    });
    await refused({ extends: "sync" }, "config/extends-cycle");
    serveSite({ "recipes/default.json": "{" });
    await refused({ extends: "default" }, "config/bad-json");
    serveSite({ "recipes/default.json": '{"steps": 1, "steps": 2}' });
    await refused({ extends: "default" }, "config/repeated-key");
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("offline")));
    await refused({ extends: "default" }, "config/no-recipe");
  });
});

describe("what a link may name", () => {
  it("fetches no recipe of another site", async () => {
    const asked = serveSite({ ...SITE, "own/mine.json": { extends: "https://other.example/x.json" } });
    for (const parent of [
      "https://other.example/x.json",
      "//other.example/x.json",
      "\\\\other.example\\x.json",
      "data:text/x.json",
      "http://[.json",
      "own/mine.json",
    ])
      await expect(resolveOnPage({ extends: parent }, {}, places), parent).rejects.toMatchObject({
        code: "config/recipe-elsewhere",
      });
    expect(asked).toEqual([`${BASE}own/mine.json`]);
  });

  it("runs no module of rewards of another site", async () => {
    serveSite(SITE);
    const withModule = (rewardModule: string) => resolveOnPage({ verifier: { rewardModule } }, {}, places);
    expect((await withModule("mine.js")).verifier.rewardModule).toBe(`${BASE}mine.js`);
    for (const module of ["https://other.example/m.js", "//other.example/m.js", "data:text/javascript,1"])
      await expect(withModule(module), module).rejects.toMatchObject({ code: "config/module-elsewhere" });
  });

  it("asks another site for no model before a run is asked for", async () => {
    const asked = serveSite({ "https://other.example/m/config.json": TINY_CONFIG });
    const informing = { ...places, access: { askHub: false } };
    for (const model of ["https://other.example/m", "//other.example/m", "http://["])
      await expect(findModel(model, informing), model).rejects.toMatchObject({ code: "model/no-folder" });
    expect(asked).toEqual([]);
    await expect(findModel("http://[", places)).rejects.toMatchObject({ code: "model/no-folder" });
  });
});

describe("findModel()", () => {
  it("finds policies of this origin by name, path and address, and uploads", async () => {
    serveSite({ ...SITE, "https://other.example/m/config.json": TINY_CONFIG });
    await open("models/mine-too").writeFile(
      "config.json",
      new TextEncoder().encode(JSON.stringify(TINY_CONFIG)),
    );
    const where = async (model: string) => (await findModel(model, places)).source.where;
    expect(await where("builtin:chain-sum")).toBe(`${BASE}models/chain-sum/`);
    expect(await where("chain-sum")).toBe(`${BASE}models/chain-sum/`);
    expect(await where("mine")).toBe(`${BASE}mine/`);
    expect(await where("./mine")).toBe(`${BASE}mine/`);
    expect(await where("owner/name")).toBe(`${BASE}owner/name/`);
    expect(await where("https://other.example/m")).toBe("https://other.example/m/");
    for (const name of ["stored:mine-too", "mine-too"]) {
      const found = await findModel(name, places);
      expect(found.from).toBe("here");
      expect(await found.source.read("config.json")).not.toBeNull();
    }
  });

  it("finds folders that were given to the page, and says when they are gone", async () => {
    const files = { "config.json": new Blob([JSON.stringify(TINY_CONFIG)]) };
    const access = { dropped: { mine: files } };
    const found = await findModel("dropped:mine", { ...places, access });
    expect(found.from).toBe("here");
    expect(found.source.handle).toEqual({ kind: "blobs", where: "dropped:mine", files });
    await expect(findModel("dropped:other", { ...places, access })).rejects.toMatchObject({
      code: "model/no-folder",
      hint: expect.stringContaining("Drop the folder other onto the page again"),
    });
  });

  it("refuses what is not there, and a recipe without a model", async () => {
    serveSite(SITE);
    for (const model of ["", "builtin:none", "none", "./none", "stored:none", "https://other.example/none"])
      await expect(findModel(model, places), model).rejects.toMatchObject({ code: "model/no-folder" });
  });
});

describe("fetchDataFile()", () => {
  it("reads problems, and knows a page from a file", async () => {
    serveSite(SITE);
    expect(await (await fetchDataFile("data/problems.jsonl", places)).text()).toBe('{"prompt":"1"}\n');
    for (const file of ["data/none.jsonl", "http://["])
      await expect(fetchDataFile(file, places)).rejects.toMatchObject({ code: "data/unreadable" });
    expect((await resolveOnPage({ data: { file: "http://[" } }, {}, places)).data?.file).toBe("http://[");
  });
});

import { describe, expect, it } from "vitest";
import { readDataName } from "../../src/config/data_name.ts";
import { resolveRecipe } from "../../src/config/resolve.ts";

describe("readDataName()", () => {
  it("reads a data set's file on the hub, with or without revision", () => {
    expect(readDataName("hub:openai/gsm8k/main/train-00000-of-00001.parquet")).toEqual({
      kind: "hub",
      id: "openai/gsm8k",
      revision: "main",
      path: "main/train-00000-of-00001.parquet",
    });
    expect(readDataName("hub:a/b@refs%2Fconvert%2Fparquet/de/test/0.parquet")).toMatchObject({
      revision: "refs/convert/parquet",
      path: "de/test/0.parquet",
    });
    expect(readDataName("data/hub.jsonl")).toEqual({ kind: "file", path: "data/hub.jsonl" });
  });

  it.each(["hub:", "hub:a", "hub:a/b", "hub:a/b/", "hub:a/b@/x", "hub:a/b/../x", "hub:a/b//x", "hub:../b/x"])(
    "refuses %s",
    (file) => {
      expect(() => readDataName(file)).toThrow(/Cannot use `hub:.*` as `data.file`/);
    },
  );
});

describe("a recipe's data file", () => {
  const locate = (path: string) => `/here/${path}`;
  const fileOf = async (file: string) =>
    (await resolveRecipe({ base: { data: { file } }, overrides: { data: { file } }, locate })).data?.file;

  it("keeps its name on the hub, and is found from the recipe's folder otherwise", async () => {
    expect(await fileOf("hub:a/b/c.jsonl")).toBe("hub:a/b/c.jsonl");
    expect(await fileOf("c.jsonl")).toBe("/here/c.jsonl");
  });

  it("may be replaced alone: how its rows are asked stays", async () => {
    const base = { data: { file: "a.jsonl", promptTemplate: "{prompt}!", columns: { answer: "gold" } } };
    const { data } = await resolveRecipe({ base, overrides: { data: { file: "b.parquet" } } });
    expect(data).toMatchObject({
      file: "b.parquet",
      promptTemplate: "{prompt}!",
      columns: { answer: "gold" },
      answerFrom: "auto",
    });
  });
});

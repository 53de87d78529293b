import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it, vi } from "vitest";
import { parseRecipe } from "../../../src/config/parse.ts";
import { readPageProblems } from "../../../src/ui/session/problems.ts";

const places = { base: "https://page.example/app/" };
const parquet = new Uint8Array(
  readFileSync(new URL("../../data/parquet/gsm8k.gzip.parquet", import.meta.url)),
);

afterEach(() => vi.unstubAllGlobals());

describe("readPageProblems()", () => {
  const settings = (file: string) =>
    parseRecipe({ data: { file, answerFrom: "gsm8k", asMessages: true, promptTemplate: "Q: {prompt}" } })
      .data!;

  it("reads a file at an address beside the page, as the recipe says", async () => {
    const asked: string[] = [];
    vi.stubGlobal("fetch", async (address: string) => {
      asked.push(address);
      return new Response(parquet);
    });
    const problems = await readPageProblems(settings("sums/train.parquet"), places);
    expect(asked).toEqual(["https://page.example/app/sums/train.parquet"]);
    expect(problems.map(({ answer }) => answer)).toEqual(["18", "2000", "7"]);
    expect(problems[2].prompt).toEqual([
      { role: "user", content: "Q: Ten birds lose three. How many are left?" },
    ]);
  });

  it("asks the hub for a data set, not the page's own origin", async () => {
    const asked: string[] = [];
    vi.stubGlobal("navigator", { storage: { getDirectory: async () => emptyFolder } });
    vi.stubGlobal("fetch", async (address: string | URL) => {
      asked.push(String(address));
      return new Response("{}", { status: 404 });
    });
    await expect(readPageProblems(settings("hub:a/b/c.parquet"), places)).rejects.toMatchObject({
      code: "hub/not-found",
    });
    expect(asked.every((address) => address.startsWith("https://huggingface.co/api/datasets/a/b/"))).toBe(
      true,
    );
    expect(asked).toHaveLength(1);
  });
});

/** A private file system with nothing in it. */
const emptyFolder = {
  async getDirectoryHandle() {
    throw Object.assign(new Error("none"), { name: "NotFoundError" });
  },
};

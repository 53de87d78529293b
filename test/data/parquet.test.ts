import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { isParquet, readParquet } from "../../src/data/parquet.ts";
import { readProblems } from "../../src/data/problems.ts";

const folder = new URL("parquet/", import.meta.url);
const bytesOf = (name: string) => new Uint8Array(readFileSync(new URL(name, folder)));
const plainRows = async (name: string) => (await readParquet(bytesOf(name))).rows.map(({ row }) => row);

describe("readParquet()", () => {
  const codecs = readdirSync(folder).filter((name) => name.startsWith("gsm8k."));

  it.each(codecs)("reads %s, alike from bytes, a buffer and a blob", async (name) => {
    const bytes = bytesOf(name);
    const read = await readParquet(bytes, name);
    expect(read).toMatchObject({ unit: "row", bad: [] });
    expect(read.rows.map(({ at }) => at)).toEqual([1, 2, 3]);
    expect(read.rows[2].row).toEqual({
      question: "Ten birds lose three. How many are left?",
      answer: "10 - 3 = <<10-3=7>>7.\n#### 7",
    });
    expect(await readParquet(new Blob([bytes]))).toEqual(read);
    expect(await readParquet(bytes.slice().buffer)).toEqual(read);
    // A view into a larger buffer, as files of an archive are.
    const larger = new Uint8Array(bytes.length + 8);
    larger.set(bytes, 3);
    expect(await readParquet(larger.subarray(3, 3 + bytes.length))).toEqual(read);
    // As Node reads a file: a buffer within a pool.
    expect((await readProblems(Buffer.from(bytes))).problems).toHaveLength(3);
  });

  it("has tried every codec there is", () => {
    expect(codecs).toHaveLength(6);
  });

  it("gives plain values: numbers for 64-bit integers, text for bytes and days", async () => {
    const rows = await plainRows("kinds.parquet");
    expect(rows[0]).toEqual({
      prompt: "plain bytes",
      answer: 7,
      level: 1,
      share: 0.5,
      numbers: [1, 2],
      day: "2026-01-02T00:00:00.000Z",
      right: true,
    });
    expect(rows[1]).toMatchObject({ prompt: "äöü", answer: -3, level: null, numbers: [], right: false });
    // A number would round it, and bytes that are not text are not guessed at.
    expect(rows[2]).toMatchObject({ answer: "9007199254740993", prompt: Uint8Array.of(0xff, 0xfe) });
    expect(rows[3]).toMatchObject({ prompt: null, share: null });
  });

  it("refuses what is cut, damaged or no Parquet file", async () => {
    const whole = bytesOf("gsm8k.snappy.parquet");
    const refused = async (bytes: Uint8Array) =>
      readParquet(bytes, "rows.parquet").catch(
        (error: unknown) => error as { code: string; message: string },
      );
    for (const bytes of [whole.slice(0, -1), whole.slice(0, 40), new Uint8Array(0), whole.slice(0, 4)]) {
      expect(await refused(bytes), `${bytes.length} bytes`).toMatchObject({
        code: "data/bad-file",
        message: expect.stringContaining("rows.parquet as Parquet: "),
      });
    }
    const verl = bytesOf("verl.parquet");
    const { row_groups: groups } = (await import("hyparquet")).parquetMetadata(verl);
    // The first page of the second row group: its header is overwritten.
    const at = Number(groups[1].columns[0].meta_data!.dictionary_page_offset);
    verl.fill(0xff, at, at + 24);
    expect(await refused(verl)).toMatchObject({
      code: "data/bad-file",
      message: expect.stringContaining("rows 2 to 2 are damaged"),
    });
  });
});

describe("readProblems()", () => {
  it("tells Parquet from JSONL by the bytes", async () => {
    const jsonl = new TextEncoder().encode('{"prompt": "PAR1", "answer": "1"}\n');
    expect(await isParquet(jsonl)).toBe(false);
    const expected = [{ id: "data/1", prompt: "PAR1", answer: "1" }];
    for (const content of [jsonl, new Blob([jsonl]), new TextDecoder().decode(jsonl)])
      expect((await readProblems(content)).problems).toMatchObject(expected);
    const { problems } = await readProblems(bytesOf("gsm8k.zstd.parquet"));
    expect(problems.map(({ answer }) => answer)).toEqual(["18", "2000", "7"]);
  });

  it("reads verl's rows", async () => {
    const { problems } = await readProblems(bytesOf("verl.parquet"));
    expect(problems[1]).toEqual({
      id: "data/2",
      taskId: "data",
      prompt: [{ role: "user", content: "2 + 1?" }],
      answer: "3",
      columns: {
        data_source: "openai/gsm8k",
        ability: "math",
        reward_model: { ground_truth: "3", style: "rule" },
        ground_truth: "3",
        extra_info: { index: 2, split: "train" },
      },
    });
  });

  it("names the rows that cannot be used, or leaves them out", async () => {
    const bytes = bytesOf("kinds.parquet");
    await expect(readProblems(bytes, { file: "kinds.parquet" })).rejects.toThrow(
      "Cannot use row 3 of kinds.parquet: `prompt` is not text; row 4 cannot be used either",
    );
    const { problems, skipped, unit } = await readProblems(bytes, { badRows: "skip" });
    expect(problems.map(({ id, answer }) => [id, answer])).toEqual([
      ["data/1", "7"],
      ["data/2", "-3"],
    ]);
    expect([unit, skipped.map(({ at }) => at)]).toEqual(["row", [3, 4]]);
    await expect(readProblems(bytesOf("empty.parquet"))).rejects.toMatchObject({ code: "data/empty" });
  });
});

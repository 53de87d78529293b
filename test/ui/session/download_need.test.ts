import { describe, expect, it } from "vitest";
import {
  allBytes,
  type DownloadNeed,
  downloadLines,
  neededDownload,
} from "../../../src/ui/session/download_need.ts";

const NOTHING: DownloadNeed = {
  parts: [],
  host: "hub.example",
  siteBytes: null,
  guessed: false,
  adapters: null,
};
const ADAPTER = { kind: "adapters" as const, name: "some/adapter", bytes: 9 * 2 ** 10 };
const BASE = { kind: "model" as const, name: "some/base", bytes: 98 * 2 ** 10 };
const OVER = { names: ["some/adapter"], base: "some/base" };
const told = (parts: Partial<DownloadNeed>) =>
  downloadLines({ ...NOTHING, ...parts }).map(({ value }) => value);

describe("downloadLines()", () => {
  it("says where a model comes from, and when nothing comes", () => {
    expect(told({})).toEqual(["nothing: the model lies in this browser"]);
    expect(told({ parts: [BASE] })).toEqual(["98\u00a0KiB from hub.example, once"]);
    expect(told({ siteBytes: 805 * 2 ** 10 })).toEqual(["805\u00a0KiB from this site, once"]);
    expect(told({ siteBytes: 805 * 2 ** 10, guessed: true })).toEqual([
      "about 805\u00a0KiB from this site, once",
    ]);
  });

  it("names other sites that are asked", () => {
    const elsewhere = { model: "models.example", problems: "data.example" };
    expect(told({ siteBytes: 805 * 2 ** 10, elsewhere })).toEqual([
      "805\u00a0KiB from models.example, once",
      "read from data.example when the run starts",
    ]);
  });

  it("names the model below adapters, and the size of each", () => {
    const model = "adapters some/adapter over some/base, merged as it is read";
    expect(told({ parts: [ADAPTER, BASE], adapters: OVER })).toEqual([
      model,
      "107\u00a0KiB from hub.example, once: adapters 9.0\u00a0KiB, model 98\u00a0KiB",
    ]);
    expect(told({ parts: [ADAPTER], siteBytes: 805 * 2 ** 10, adapters: OVER })).toEqual([
      model,
      "9.0\u00a0KiB from hub.example and 805\u00a0KiB from this site, once",
    ]);
    expect(told({ adapters: OVER })[1]).toBe("nothing: the model and its adapters lie in this browser");
    const problems = { kind: "problems" as const, name: "hub:a/b/c.jsonl", bytes: 900 };
    expect(told({ parts: [problems] })).toEqual(["900\u00a0B from hub.example, once: problems 900\u00a0B"]);
    const stacked = { names: ["a/first", "b/second"], base: "c/base" };
    expect(told({ adapters: stacked })[0]).toContain("adapters b/second over a/first over c/base");
  });
});

describe("neededDownload()", () => {
  it("asks for what lies on the hub, problems too, and for nothing where all is here", () => {
    const data = "hub:a/b/train.parquet";
    const parts = [ADAPTER, BASE, { kind: "problems" as const, name: data, bytes: 900 }];
    expect(neededDownload({ ...NOTHING, parts, data }, "some/adapter")).toEqual({
      model: "some/adapter",
      data,
      names: ["some/adapter", "some/base", data],
      bytes: 110_468,
    });
    expect(neededDownload({ ...NOTHING, siteBytes: 5 }, "builtin:chain-sum")).toBeNull();
  });

  it("counts what comes from this site as well in all that is fetched", () => {
    expect(allBytes(NOTHING)).toBeNull();
    expect(allBytes({ parts: [ADAPTER], siteBytes: 100 })).toBe(9_316);
  });
});

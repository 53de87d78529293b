import { describe, expect, it } from "vitest";
import { type Download, shownDownload } from "../../../src/ui/models/download.ts";
import { bytesOf } from "../../../src/ui/models/progress_text.ts";

const needed = (...names: string[]) => ({ model: names[0], names, bytes: 10 });
const going = (phase: Download["phase"], ...names: string[]): Download => ({
  needed: needed(...names),
  phase,
  doneBytes: 3,
  checking: false,
  trouble: null,
});

describe("shownDownload()", () => {
  it("tells of one that runs whatever is chosen, and of one that rests where it is wanted", () => {
    const running = going("running", "a/b");
    expect(shownDownload(running, undefined)).toBe(running);
    expect(shownDownload(running, needed("c/d"))).toBe(running);
    for (const phase of ["paused", "failed"] as const) {
      const resting = going(phase, "a/adapter", "a/b");
      expect(shownDownload(resting, needed("a/adapter", "a/b"))).toBe(resting);
      expect(shownDownload(resting, needed("a/b"))).toBeNull();
      expect(shownDownload(resting, undefined)).toBeNull();
    }
    expect(shownDownload(null, needed("a/b"))).toBeNull();
    expect(shownDownload(null, undefined)).toBeNull();
  });
});

describe("bytesOf()", () => {
  it("keeps to the unit and the digits of the whole", () => {
    expect(bytesOf(1_234, 481 * 2 ** 10)).toBe("1 of 481 KiB");
    expect(bytesOf(0, 88 * 2 ** 20)).toBe("0.0 of 88.0 MiB");
    expect(bytesOf(2 ** 20 - 1, 88 * 2 ** 20)).toBe("1.0 of 88.0 MiB");
    expect(bytesOf(88 * 2 ** 20, 1.2 * 2 ** 30)).toBe("0.09 of 1.20 GiB");
  });
});

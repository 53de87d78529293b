import { describe, expect, it } from "vitest";
import { byteText, count, decimal, duration, percent } from "../../../src/ui/parts/format.ts";

const plain = (text: string) => text.replaceAll("\u00a0", " ");

describe("numbers on the page", () => {
  it("group thousands", () => expect(count(7680.4)).toBe("7,680"));
  it("write shares as whole percents", () => expect(plain(percent(0.958))).toBe("96 %"));
  it("have a true minus sign", () => expect(decimal(-0.126)).toBe("\u22120.13"));

  it("tell times by their two largest units", () => {
    expect([0, 48.4, 60, 125, 3600, 4860].map((seconds) => plain(duration(seconds)))).toEqual([
      "0 s",
      "48 s",
      "1 min",
      "2 min 5 s",
      "1 h",
      "1 h 21 min",
    ]);
  });

  it("tell sizes in the unit that fits", () => {
    expect(
      [512, 1536, 20 * 2 ** 10, 2 ** 20 - 1, 9.97 * 2 ** 20, 5 * 2 ** 40].map((size) =>
        plain(byteText(size)),
      ),
    ).toEqual(["512 B", "1.5 KiB", "20 KiB", "1.0 MiB", "10 MiB", "5.0 TiB"]);
  });
});

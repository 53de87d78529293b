import { describe, expect, test } from "vitest";
import {
  count,
  exact,
  fixed,
  milliseconds,
  percent,
  plural,
  promptText,
  sharedPrefix,
  signed,
  tokenLabel,
  versions,
  visibleText,
} from "../../../../src/ui/views/rollouts/format.ts";

describe("numbers", () => {
  test("keep their digits and use a true minus sign", () => {
    expect([fixed(1), fixed(-0.456), fixed(2, 0)]).toEqual(["1.00", "−0.46", "2"]);
  });
  test("never show a negative zero", () => {
    expect([fixed(-0.001), signed(-0.001), signed(0)]).toEqual(["0.00", "0.00", "0.00"]);
  });
  test("say nothing where there is nothing", () => {
    expect([fixed(null), fixed(Number.NaN), signed(undefined), exact(null)]).toEqual(["–", "–", "–", "–"]);
  });
  test("carry a sign where it matters", () => {
    expect([signed(0.5), signed(-0.5)]).toEqual(["+0.50", "−0.50"]);
  });
  test("rewards have two to four digits", () => {
    expect([1, 0.9875, 0.125, -0.5].map(exact)).toEqual(["1.00", "0.9875", "0.125", "−0.50"]);
  });
  test("probabilities keep what is small", () => {
    expect([1, 0.9999, 0.5, 0.0123, 0.00001].map(percent)).toEqual([
      "100.0 %",
      "> 99.9 %",
      "50.0 %",
      "1.2 %",
      "< 0.01 %",
    ]);
  });
  test("times, counts and plurals", () => {
    expect([milliseconds(0.001), milliseconds(1.234), milliseconds(1234.5)]).toEqual([
      "< 0.01 ms",
      "1.23 ms",
      "1,235 ms",
    ]);
    expect([count(20000), plural(1, "group"), plural(2, "group")]).toEqual(["20,000", "1 group", "2 groups"]);
  });
  test("versions show a change", () => {
    expect([versions(3, 3), versions(3, 4)]).toEqual(["v3", "v3→v4"]);
  });
});

describe("texts", () => {
  test("white space can be seen", () => {
    expect(visibleText(" a\n\tb\r")).toBe("·a↵⇥b␍");
    expect(visibleText("")).toBe("(no text)");
  });
  test("tokens in running text keep spaces between words", () => {
    expect([" the", "  ", "\n", ""].map(tokenLabel)).toEqual([" the", "··", "↵", "∅"]);
  });
  test("messages read as one text", () => {
    expect(
      promptText([
        { role: "system", content: "Be brief." },
        { role: "user", content: "1 + 1?" },
      ]),
    ).toBe("Be brief.\n1 + 1?");
  });
});

describe("sharedPrefix()", () => {
  const lead = "State the final answer to the problem: ";
  test("ends at a word", () => {
    expect(sharedPrefix([`${lead}12 + 3`, `${lead}14 + 3`])).toBe(lead.length);
  });
  test("is 0 for one text, for short ones, and where nothing would be left", () => {
    expect(sharedPrefix([`${lead}1`])).toBe(0);
    expect(sharedPrefix(["Add 1", "Add 2"])).toBe(0);
    expect(sharedPrefix([lead, `${lead}1`])).toBe(0);
    expect(sharedPrefix([`${lead}1`, "Something quite different from it, at length"])).toBe(0);
  });
});

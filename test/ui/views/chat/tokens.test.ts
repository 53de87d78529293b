import { describe, expect, it } from "vitest";
import { spokenText, visibleText, writePercent } from "../../../../src/ui/views/chat/tokens.ts";

const token = (text: string, end = false) => ({ text, end });

describe("visibleText()", () => {
  it.each([
    [token(" "), "␣"],
    [token(" is 7"), "␣is 7"],
    [token("\n\n"), "⏎⏎"],
    [token("</think>"), "</think>"],
    [token("<eos>", true), "end"],
    [token(""), "∅"],
  ])("%j", (given, shown) => expect(visibleText(given)).toBe(shown));
});

describe("spokenText()", () => {
  it.each([
    [token(" "), "space"],
    [token("\n"), "line break"],
    [token("-"), "minus"],
    [token("<eos>", true), "end of the answer"],
    [token("7"), "7"],
  ])("%j", (given, said) => expect(spokenText(given)).toBe(said));
});

describe("writePercent()", () => {
  it.each([
    [0.8342, "83.4\u00a0%"],
    [1, "100\u00a0%"],
    [0.99951, "100\u00a0%"],
    [0.9994, "99.9\u00a0%"],
    [0.0004, "<\u202f0.1\u00a0%"],
    [0, "0.0\u00a0%"],
  ])("%f", (given, written) => expect(writePercent(given)).toBe(written));
});

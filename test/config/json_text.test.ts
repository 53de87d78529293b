import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { excess, formatRecipe, lineOf, lineRange, placesOf } from "../../src/config/json_text.ts";

const parses = (text: string) => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

describe("placesOf()", () => {
  it("agrees with the engine on what is JSON", () => {
    const pieces = fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"a"',
      '"\\u00e9"',
      "1",
      "-0.5e3",
      "01",
      "tru",
      "null",
      " ",
      "\n",
      '"',
    );
    const texts = fc.oneof(
      fc.json(),
      fc.array(pieces, { maxLength: 12 }).map((all) => all.join("")),
    );
    fc.assert(
      fc.property(texts, (text) => {
        expect(placesOf(text).broken === null).toBe(parses(text));
      }),
      { numRuns: 1000 },
    );
  });

  it("finds the line of every key and entry", () => {
    const text = '{\n  "a": 1,\n  "b": {\n    "c": [\n      1,\n      { "d": 2 }\n    ]\n  }\n}';
    const { lines, broken } = placesOf(text);
    expect(broken).toBeNull();
    expect(Object.fromEntries(lines)).toEqual({ a: 2, b: 3, "b.c": 4, "b.c.0": 5, "b.c.1": 6, "b.c.1.d": 6 });
    expect(lineOf({ lines }, "b.c.1.d")).toBe(6);
    expect(lineOf({ lines }, "b.x.y")).toBe(3);
    expect(lineOf({ lines }, "x")).toBeNull();
  });

  it("finds the second of two settings of one name", () => {
    expect(placesOf('{"a":{"b":1},\n"c":{"b":2}}').repeated).toBeNull();
    expect(placesOf('{"a":{"b":1},\n"a":{}}').repeated).toEqual({ path: "a", line: 2 });
    expect(placesOf('{"a":{"b":1,\n"b":2},"a":{}}').repeated).toEqual({ path: "a.b", line: 2 });
  });

  it("looks at no text that is too long or too deep, and at a long one quickly", () => {
    const rows = (count: number) =>
      `{\n${Array.from({ length: count }, (_, k) => `"key${k}": ${k}`).join(",\n")}\n}`;
    const nested = (depth: number) => `${'{"a":'.repeat(depth)}"]]"${"}".repeat(depth)}`;
    expect(excess(rows(10_000))).toBeNull();
    const began = performance.now();
    expect(placesOf(rows(10_000)).lines.get("key9999")).toBe(10_001);
    // A line by counting from the text's start takes tens of seconds for all of them.
    expect(performance.now() - began).toBeLessThan(2000);
    expect(excess(rows(20_000))?.found).toContain("characters");
    expect([excess(nested(64)), excess('{"a": "[[[\\"[[["}')]).toEqual([null, null]);
    for (const text of [nested(65), nested(50_000), "[".repeat(150_000)]) {
      expect(excess(text)).not.toBeNull();
      expect(placesOf(text)).toEqual({ lines: new Map(), broken: null, repeated: null });
    }
  });

  it.each([
    ['{\n  "a": 1,\n}', 3, 1],
    ['{\n  "a" 1\n}', 2, 7],
    ["{", 1, 2],
    ["", 1, 1],
    ['{ "a": 1 } x', 1, 12],
  ])("tells where %j breaks", (text, line, column) => {
    expect(placesOf(text).broken).toMatchObject({ line, column });
  });

  it("still knows the keys before the break", () => {
    expect(placesOf('{\n"a": 1,\n"b": oops }').lines.get("a")).toBe(2);
  });
});

describe("lineRange()", () => {
  it("spans one line without its end", () => {
    const text = formatRecipe({ a: 1, b: 2 });
    expect(text.slice(...lineRange(text, 2))).toBe('  "a": 1,');
    expect(text.slice(...lineRange(text, 4))).toBe("}");
  });
});

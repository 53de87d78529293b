import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { flagName, parseCommand } from "../../src/cli/args.ts";
import { commandSpecs } from "../../src/cli/options.ts";
import { findField } from "../../src/config/describe.ts";
import { parseSet } from "../../src/config/resolve.ts";
import { metricEntry } from "../../src/metrics/names.ts";
import { filesBelow, has, readText, root, stemOf } from "../style/tree.ts";
import {
  codeSpans,
  fencedBlocks,
  missingThings,
  npmCommands,
  numberedSteps,
  relativeLinks,
  section,
  shellWords,
  treePaths,
} from "./markdown.ts";

const pages = ["README.md", "CONTRIBUTING.md", ...filesBelow("docs", /\.md$/)];
const readme = readText("README.md");
const scripts = (JSON.parse(readText("package.json")) as { scripts: Record<string, string> }).scripts;

// Broken on purpose once: a flag, a setting and a folder of the README misspelt, a file and a setting of algorithm.md that are
// not there, a date of the log out of order. Each fails below.
describe("markdown", () => {
  it("is taken apart", () => {
    const text =
      "# x\n\n## One\n\n1. a `b`\n   c\n2. d\n\n```js\n`no`\n```\n\n## Two\n[l](docs/x.md#y) [m](https://a.b)\n";
    expect(codeSpans(text)).toEqual(["b"]);
    expect(fencedBlocks(text, "js")).toEqual(["`no`\n"]);
    expect(numberedSteps(section(text, "One"))).toEqual([
      { number: 1, text: "a `b`\n   c\n" },
      { number: 2, text: "d" },
    ]);
    expect(relativeLinks(text)).toEqual(["docs/x.md"]);
    expect(() => section(text, "Three")).toThrow(/no section/);
  });

  it("has its commands and trees read as a shell and a reader would", () => {
    expect(shellWords(`--a "b c" 'd="e"' f`)).toEqual(["--a", "b c", 'd="e"', "f"]);
    expect(npmCommands('`npm run eval -- --task "a b"` and\n```\nnpm test\n```')).toEqual([
      { script: "eval", words: ["--task", "a b"] },
      { script: "test", words: [] },
    ]);
    expect(treePaths("a/   words here\n  b.ts  c.ts  some words\n  d/  e/   two words/s\nf/\n")).toEqual([
      "a",
      "a/b.ts",
      "a/c.ts",
      "a/d",
      "a/e",
      "f",
    ]);
  });
});

describe.each(pages)("%s", (page) => {
  it("names files, folders, links and scripts that exist", () => {
    expect(missingThings(page)).toEqual([]);
  });

  it("names no machine's folders and no host of a registry", () => {
    const text = readText(page);
    expect(text).not.toMatch(new RegExp(`/(${["work", "tmp", "home", "root"].join("|")})(/|\\b(?!\\w))`));
    expect(text).not.toMatch(/\bnpmjs\b|localhost|\b\d+\.\d+\.\d+\.\d+\b|https?:\/\/[\w.-]*registry/);
  });

  it("names settings that exist", () => {
    const groups = /^(generator|verifier|trainer|weights|evaluation|checkpoint|gpu)\.\w+$/;
    const settings = codeSpans(readText(page)).filter((code) => groups.test(code) && !code.endsWith(".ts"));
    expect(settings.filter((path) => findField(path) === undefined)).toEqual([]);
  });
});

describe("README.md", () => {
  it("has the two commands, and .ci/run calls the second", () => {
    const [commands] = fencedBlocks(section(readme, "Two commands"));
    expect(commands).toBe("npm run train\nnpm test\n");
    expect(readText(".ci/run").trimEnd().endsWith("\nnpm test")).toBe(true);
  });

  it("shows every command, and none with flags or settings that it would refuse", () => {
    const shown = npmCommands(readme);
    for (const spec of commandSpecs) {
      const calls = shown.filter(({ script }) => script === spec.name);
      expect(calls, spec.name).not.toEqual([]);
      for (const { words } of calls) {
        const args = parseCommand(spec, words) as { set?: string[] };
        for (const set of args.set ?? []) {
          parseSet(set);
          expect(findField(set.slice(0, set.indexOf("="))), set).toBeDefined();
        }
      }
    }
    const missing = Object.keys(scripts).filter((name) => !shown.some(({ script }) => script === name));
    expect(missing).toEqual([]);
  });

  it("shows every flag of train but the common ones", () => {
    const train = commandSpecs.find(({ name }) => name === "train");
    const text = npmCommands(readme).flatMap(({ words }) => words);
    const flags = Object.keys(train?.options ?? {}).map((key) => `--${flagName(key)}`);
    expect(flags.filter((flag) => !text.includes(flag))).toEqual([]);
  });

  it("names every recipe and only recipes that exist", () => {
    const recipes = filesBelow("public/recipes", /\.json$/).map(stemOf);
    const listed = /Recipes in `public\/recipes\/`:([\s\S]*?)\n\n/.exec(readme)?.[1] ?? "";
    expect(codeSpans(listed).sort()).toEqual(recipes.sort());
  });

  it("draws the real tree", () => {
    const [tree] = fencedBlocks(section(readme, "The tree"));
    const drawn = treePaths(tree);
    expect(drawn.filter((path) => !has(path))).toEqual([]);
    const folders = ["src", "shaders"].flatMap((folder) =>
      readdirSync(`${root}/${folder}`, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => `${folder}/${entry.name}`),
    );
    const wanted = [...folders, ...filesBelow("workers", /\.ts$/), ...filesBelow("docs", /\.md$/)];
    expect(wanted.filter((path) => !drawn.includes(path))).toEqual([]);
  });

  it("keeps the figures of the default run where they can be found and replaced", () => {
    const table =
      /<!-- figures of the default run: begin -->([\s\S]*)<!-- figures of the default run: end -->/.exec(
        readme,
      );
    for (const row of ["pass@1", "maj@8", "mean completion length", "wall time"])
      expect(table?.[1]).toContain(`| ${row}`);
  });
});

describe("docs/algorithm.md", () => {
  it("names metrics that the run writes", () => {
    const text = section(readText("docs/algorithm.md"), "What the numbers average over");
    const names = codeSpans(text).filter(
      (code) => /^[a-z_]+(\/[a-z_]+)?$/.test(code) && !code.startsWith("src/"),
    );
    expect(names.length).toBeGreaterThan(6);
    expect(names.filter((name) => metricEntry(name) === null)).toEqual([]);
  });
});

describe("docs/log.md", () => {
  it("has dated entries in order", () => {
    const headings = [...readText("docs/log.md").matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
    expect(headings.filter((heading) => !/^\d{4}-\d\d-\d\d: \S/.test(heading))).toEqual([]);
    const dates = headings.map((heading) => heading.slice(0, 10));
    expect(dates).toEqual([...dates].sort());
    expect(dates.every((date) => !Number.isNaN(Date.parse(date)))).toBe(true);
  });
});

import { describe, expect, it } from "vitest";
import { filesBelow, importsOf, readText, stemOf } from "./tree.ts";

const source = /\.(ts|tsx|mjs|mts|wgsl)$/;
const own = ["src", "workers", "shaders"].flatMap((folder) => filesBelow(folder, source));
const tests = filesBelow("test", source);
const stages = ["tasks", "generator", "verifier", "trainer", "weights"];

const lineCount = (path: string) => readText(path).trimEnd().split("\n").length;
const tooLong = (paths: string[], limit: number) =>
  paths.map((path) => `${path}: ${lineCount(path)}`).filter((entry) => Number(entry.split(": ")[1]) > limit);

/** The stage a file belongs to, or undefined. */
const stageOf = (path: string) => stages.find((stage) => path.startsWith(`src/${stage}/`));

/** What a stage's file imports that it must not know. */
function forbiddenImports(path: string, imports: string[]): string[] {
  const stage = stageOf(path);
  if (stage === undefined) return [];
  return imports.filter((target) => {
    const other = stageOf(target);
    if (other !== undefined && other !== stage) return target !== `src/${other}/api.ts`;
    return /^src\/(cli|ui)\//.test(target) || target === "src/loop.ts";
  });
}

describe("file sizes", () => {
  it("stay within 400 lines, tests within 500", () => {
    expect(tooLong(own, 400)).toEqual([]);
    expect(tooLong(tests, 500)).toEqual([]);
  });

  it("keep the loop readable and the workers thin", () => {
    expect(
      tooLong(
        own.filter((path) => path === "src/loop.ts"),
        150,
      ),
    ).toEqual([]);
    expect(tooLong(filesBelow("workers", source), 60)).toEqual([]);
  });
});

describe("file names", () => {
  it("are in snake case", () => {
    const odd = [...own, ...tests].filter((path) => {
      const name = path.slice(path.lastIndexOf("/") + 1);
      return !/^([a-z0-9_]+(\.[a-z0-9_]+)*|[A-Z][A-Za-z]*)\.(ts|tsx|mjs|mts|wgsl)$/.test(name);
    });
    expect(odd).toEqual([]);
  });

  it("say what is inside", () => {
    const empty =
      /^(data|info|manager|helpers?|utils?|misc|handle|process|temp|arr|obj|common|stuff)$|_v\d+$|_(old|new)$/;
    expect([...own, ...tests].filter((path) => empty.test(stemOf(path)))).toEqual([]);
  });
});

describe("imports", () => {
  it("notices a stage that knows another", () => {
    expect(forbiddenImports("src/trainer/x.ts", ["src/generator/pool.ts"])).toHaveLength(1);
    expect(forbiddenImports("src/trainer/x.ts", ["src/generator/api.ts", "src/trainer/y.ts"])).toEqual([]);
    expect(forbiddenImports("src/weights/x.ts", ["src/cli/table.ts", "src/loop.ts"])).toHaveLength(2);
    expect(importsOf("src/a/b.ts", 'import { x } from "../c/d.ts";\nimport("./e.ts")')).toEqual([
      "src/c/d.ts",
      "src/a/e.ts",
    ]);
  });

  it("of a stage reach other stages through their api.ts alone", () => {
    const found = own.flatMap((path) =>
      forbiddenImports(path, importsOf(path)).map((target) => `${path} → ${target}`),
    );
    expect(found).toEqual([]);
  });

  it("of the substrate reach no stage but through its api.ts", () => {
    const substrate = /^src\/(model|kernels|gpu|text|rpc|metrics|config)\//;
    const found = own
      .filter((path) => substrate.test(path))
      .flatMap((path) =>
        importsOf(path)
          .filter((target) => stageOf(target) !== undefined && !target.endsWith("/api.ts"))
          .map((target) => `${path} → ${target}`),
      );
    expect(found).toEqual([]);
  });
});

describe("the GPU device", () => {
  it("is touched by src/gpu alone", () => {
    const calls =
      /\.(requestAdapter|requestDevice|createBuffer|createShaderModule|createComputePipeline|createComputePipelineAsync|createBindGroup|createCommandEncoder)\(/;
    const found = own.filter((path) => !path.startsWith("src/gpu/") && calls.test(readText(path)));
    expect(found).toEqual([]);
  });
});

describe("the text of files", () => {
  it("names no machine's own folders", () => {
    // In two parts, so that this file does not find itself.
    const folders = new RegExp(`["'\`\\s](/${"work"}/|/${"tmp"}\\b|/${"home"}/|/${"root"}/)`);
    const written = [
      ...own,
      ...tests,
      ...filesBelow("public/recipes", /\.json$/),
      ...filesBelow("docs", /\.md$/),
    ];
    expect(written.filter((path) => folders.test(readText(path)))).toEqual([]);
  });

  it("leaves nothing for later", () => {
    const later = new RegExp(`\\b(${"TO"}DO|${"FIX"}ME|${"XX"}X)\\b`);
    expect([...own, ...tests].filter((path) => later.test(readText(path)))).toEqual([]);
  });
});

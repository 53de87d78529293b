import { describe, expect, it } from "vitest";
import { shaderProblems } from "./shader_header.ts";
import { filesBelow, has, importsOf, readText, stemOf } from "./tree.ts";

const shaders = filesBelow("shaders", /\.wgsl$/);
const kernels = filesBelow("src/kernels", /\.ts$/);
const kernelTests = filesBelow("test/kernels", /\.test\.ts$/);

const good = `// scale — y[n] = factor · x[n]
//
//   binding  name    shape   type  access
//   0        params  -       Params uniform
//   1        x       (N, C)  f32   read        kept
//   2        y       (N, C)  f32   write
//
// Dispatch: (N, 1, 1), one workgroup per row.
// Numerics: f32, exact.

override WORKGROUP_SIZE: u32 = 64;
struct Params { factor: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
// @compute fn not_this() is a comment
@compute @workgroup_size(WORKGROUP_SIZE, 1)
fn scale(@builtin(global_invocation_id) id: vec3<u32>) {}
`;

describe("shaderProblems()", () => {
  it("finds nothing wrong with the layout of the house", () => {
    expect(shaderProblems("scale", good)).toEqual([]);
  });

  it.each([
    ["// scale — y", "// scales — y", "first line"],
    ["//   1        x       (N, C)  f32   read        kept\n", "", "not in the table"],
    ["//   1        x ", "//   1        z ", "called z"],
    ["f32   read        kept", "f32   write       kept", "is write in the table"],
    ["f32   read        kept", "u32   read        kept", "is u32 in the table"],
    ["// Dispatch:", "// Runs:", "Dispatch:"],
    ["// Numerics:", "// Numbers:", "Numerics:"],
    ["fn scale(", "fn main(", "[main], not [scale]"],
    ["override WORKGROUP_SIZE", "override workgroupSize", "upper case"],
    ["(WORKGROUP_SIZE, 1)", "(64, 1)", "literal"],
    ["@group(0) @binding(2)", "@group(1) @binding(2)", "@group(0)"],
    ["var<uniform> params", "var<uniform> settings", "uniform `params`"],
    ["//   binding  name ", "//   slot  name ", "no binding table"],
    ["read> x: array<vec4<f32>>", "read> x: array<Stored4>", "where Stored4 comes from"],
  ])("notices %j → %j", (from, to, problem) => {
    const broken = good.replace(from, to);
    expect(broken).not.toBe(good);
    expect(shaderProblems("scale", broken).join("\n")).toContain(problem);
  });
});

describe("shaders", () => {
  it.skipIf(shaders.length === 0).each(shaders)(
    "%s has its header, bindings and entry point in order",
    (path) => {
      expect(shaderProblems(stemOf(path), readText(path))).toEqual([]);
    },
  );

  it.skipIf(shaders.length === 0).each(shaders)(
    "%s has a TypeScript twin and a test of its name or that imports the twin",
    (path) => {
      const twin = path.replace(/^shaders\//, "src/kernels/").replace(/\.wgsl$/, ".ts");
      expect(has(twin), `${twin} is missing`).toBe(true);
      expect(importsOf(twin), `${twin} does not import its shader`).toContain(path);
      const tests = kernelTests.filter(
        (test) => stemOf(test) === stemOf(path) || importsOf(test).includes(twin),
      );
      expect(tests, `test/kernels/**/${stemOf(path)}.test.ts is missing`).not.toEqual([]);
    },
  );

  it("have names of their own, because pipelines and tests are found by them", () => {
    const stems = shaders.map(stemOf);
    expect(stems.filter((stem, i) => stems.indexOf(stem) !== i)).toEqual([]);
  });

  it("are not written in TypeScript strings", () => {
    const inStrings = kernels.filter((path) => /@compute\b/.test(readText(path)));
    expect(inStrings).toEqual([]);
  });
});

import { describe, expect, it } from "vitest";
import { kernelsMarkdown } from "../../src/bench/kernels_doc.ts";
import { filesBelow, readText, stemOf } from "./tree.ts";

const shaders = filesBelow("shaders", /\.wgsl$/).map((path) => ({ path, text: readText(path) }));

describe("docs/kernels.md", () => {
  it("is what the headers say; `npx vitest run --project logic test/style -u` writes it", async () => {
    await expect(kernelsMarkdown(shaders)).toMatchFileSnapshot("../../docs/kernels.md");
  });

  it("has every kernel and every binding", () => {
    const text = kernelsMarkdown(shaders);
    for (const { path, text: code } of shaders) {
      expect(text).toContain(`\n### ${stemOf(path)}\n`);
      const section = text.split(`\n### ${stemOf(path)}\n`)[1].split("\n#")[0];
      for (const [, index, name] of code.matchAll(/@binding\((\d+)\) var<[^>]*> (\w+)/g))
        expect(section, path).toContain(`| ${index} | \`${name}\` |`);
    }
  });

  it("joins wrapped lines, keeps tables and escapes what Markdown would take", () => {
    const text = `// two — y[i] = |x[i]| * 2
// Paper: someone, in
// two lines
//
//   MODE  meaning
//   0     none
//
//   binding  name    shape   type  access
//   0        params  -       Params uniform
//   1        x       (N, C)  f32   read      a | b
//
// Dispatch: (N, 1, 1),
//   striding.
// Numerics: exact * always.

struct Params { n: u32 }
`;
    const made = kernelsMarkdown([{ path: "shaders/some/two.wgsl", text }]);
    expect(made).toContain("`y[i] = |x[i]| * 2`");
    expect(made).toContain("- Paper: someone, in two lines\n");
    expect(made).toContain("```text\n   MODE  meaning\n   0     none\n```");
    expect(made).toContain("| 1 | `x` | (N, C) | f32 | read | a \\| b |");
    expect(made).toContain("- Dispatch: (N, 1, 1), striding.\n- Numerics: exact \\* always.");
    expect(made).not.toContain("struct");
  });
});

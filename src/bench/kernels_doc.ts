/** Writes docs/kernels.md from the headers of the shaders: what each computes, its bindings, its grid, its exactness. */

export interface ShaderText {
  /** From the project's root: `shaders/norm/rms_norm.wgsl`. */
  path: string;
  text: string;
}

const tableHead = /^\s+binding\s+name\s+shape\s+type\s+access\b/;
const tableRow = /^\s+(\d+)\s+(\w+)\s+(-|\(.*?\)|\S+)\s+(\S+)\s+(uniform|read_write|read|write)(?:\s+(.*))?$/;

const cell = (text: string) => text.replace(/\|/g, "\\|");
/** Formulas keep their stars and underscores. */
const prose = (text: string) => text.replace(/([*_<>])/g, "\\$1");
const familyOf = (path: string) => path.split("/")[1];
const stemOf = (path: string) => path.replace(/^.*\//, "").replace(/\.wgsl$/, "");

/** The header's lines without their slashes, in blocks between empty lines. */
function headerBlocks(text: string): string[][] {
  const lines = text.split("\n");
  const end = lines.findIndex((line) => !line.startsWith("//"));
  const blocks: string[][] = [[]];
  for (const line of lines.slice(0, end < 0 ? lines.length : end)) {
    const content = line.slice(2).trimEnd();
    if (content === "") blocks.push([]);
    else blocks[blocks.length - 1].push(content);
  }
  return blocks.filter((block) => block.length > 0);
}

function bindingTable(rows: string[]): string[] {
  const cells = rows.map((row) => {
    const [, index, name, shape, type, access, note = ""] = tableRow.exec(row) ?? ["", "", row.trim()];
    return `| ${[index, `\`${name}\``, shape, type, access, note].map((text) => cell(text ?? "")).join(" | ")} |`;
  });
  return ["| binding | name | shape | type | access | |", "| --- | --- | --- | --- | --- | --- |", ...cells];
}

/** Joins wrapped lines; one that starts with a word and a colon starts an entry of its own. */
function entries(lines: string[]): string[] {
  const joined: string[] = [];
  for (const line of lines.map((text) => text.trim())) {
    if (joined.length === 0 || /^[A-Z]\w*( by)?:\s/.test(line)) joined.push(line);
    else joined[joined.length - 1] += ` ${line}`;
  }
  return joined;
}

function describeShader({ path, text }: ShaderText): string[] {
  const stem = stemOf(path);
  const [opening = [], ...blocks] = headerBlocks(text);
  const [formula = "", ...rest] = entries(opening);
  const lines = [`### ${stem}`, "", `\`${formula.replace(/^\S+ — /, "").replaceAll("`", "")}\``, ""];
  if (rest.length > 0) lines.push(...rest.map((entry) => `- ${prose(entry)}`), "");
  for (const block of blocks) {
    if (tableHead.test(block[0])) lines.push(...bindingTable(block.slice(1)));
    else if (block.every((line) => line.startsWith("  "))) lines.push("```text", ...block, "```");
    else lines.push(...entries(block).map((entry) => `- ${prose(entry)}`));
    lines.push("");
  }
  return lines;
}

/** The whole of docs/kernels.md. */
export function kernelsMarkdown(shaders: readonly ShaderText[]): string {
  const sorted = shaders.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const families = [...new Set(sorted.map(({ path }) => familyOf(path)))];
  const lines = [
    "# Kernels",
    "",
    "Generated from the headers of `shaders/`; `npx vitest run --project logic test/style -u` writes it anew.",
    "",
    `${sorted.length} shaders, one kernel each: \`shaders/FAMILY/NAME.wgsl\`, its twin \`src/kernels/FAMILY/NAME.ts\` with`,
    "grid and cost, and its test `test/kernels/FAMILY/NAME.test.ts`. Letters of shapes: B sequences, T tokens of one, N rows,",
    "M selected rows, C width, H query heads, K key/value heads, D head size, F MLP width, V vocabulary, S cache capacity.",
    "`npm run bench` measures them, `npm run doctor` tests them on this machine's adapter.",
    "",
    ...families.map((family) => {
      const names = sorted.filter(({ path }) => familyOf(path) === family).map(({ path }) => stemOf(path));
      return `- [${family}](#${family}): ${names.join(", ")}`;
    }),
    "",
  ];
  for (const family of families) {
    lines.push(`## ${family}`, "");
    for (const shader of sorted) if (familyOf(shader.path) === family) lines.push(...describeShader(shader));
  }
  return `${lines.join("\n").trimEnd()}\n`;
}

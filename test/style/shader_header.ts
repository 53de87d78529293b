/** Reads a WGSL file's header and declarations and says what disagrees with the house's layout. */

interface Binding {
  index: number;
  name: string;
  type: string;
  access: string;
}

const tableHead = /^\/\/\s+binding\s+name\s+shape\s+type\s+access\b/;
const tableRow = /^\/\/\s+(\d+)\s+(\w+)\s+(-|\(.*?\)|\S+)\s+(\S+)\s+(uniform|read_write|read|write)(?=\s|$)/;
const declaration = /@group\((\d+)\)\s*@binding\((\d+)\)\s*var\s*<([^>]*)>\s*(\w+)\s*:\s*([^;]+);/g;

function tableOf(header: string[]): Binding[] {
  const start = header.findIndex((line) => tableHead.test(line));
  if (start < 0) return [];
  const rows: Binding[] = [];
  for (const line of header.slice(start + 1)) {
    const match = tableRow.exec(line);
    if (!match) break;
    rows.push({ index: Number(match[1]), name: match[2], type: match[4], access: match[5] });
  }
  return rows;
}

function declarationsOf(code: string): (Binding & { group: number })[] {
  return [...code.matchAll(declaration)].map(([, group, index, space, name, type]) => ({
    group: Number(group),
    index: Number(index),
    name,
    type: type.trim(),
    access: space.trim() === "uniform" ? "uniform" : (space.split(",")[1]?.trim() ?? "read"),
  }));
}

/** `Stored4` comes from src/kernels/stored.ts. */
const scalar = (type: string) => /\b(f32|f16|u32|i32|Stored4)\b/.exec(type)?.[1] ?? type;

function compare(table: Binding[], declared: Binding[]): string[] {
  const problems: string[] = [];
  for (let i = 0; i < Math.max(table.length, declared.length); i++) {
    const [said, is] = [table[i], declared[i]];
    if (!said || !is) {
      problems.push(
        said
          ? `binding ${said.index} ${said.name} is not declared`
          : `binding ${is.index} ${is.name} is not in the table`,
      );
      continue;
    }
    if (said.index !== is.index || said.index !== i)
      problems.push(`row ${i} of the table is binding ${said.index}, declared ${is.index}`);
    if (said.name !== is.name)
      problems.push(`binding ${i} is called ${said.name} in the table, declared ${is.name}`);
    const writes = is.access === "read_write" && said.access === "write";
    if (said.access !== is.access && !writes)
      problems.push(`binding ${i} ${is.name} is ${said.access} in the table, declared ${is.access}`);
    if (is.access !== "uniform" && scalar(said.type) !== scalar(is.type)) {
      problems.push(`binding ${i} ${is.name} is ${said.type} in the table, declared ${is.type}`);
    }
  }
  return problems;
}

/** Everything in a shader that breaks the layout; `stem` is its file name without folder and ending. */
export function shaderProblems(stem: string, text: string): string[] {
  const lines = text.split("\n");
  const end = lines.findIndex((line) => !line.startsWith("//"));
  const header = lines.slice(0, end < 0 ? lines.length : end);
  const code = lines
    .slice(header.length)
    .map((line) => line.replace(/\/\/.*$/, ""))
    .join("\n");
  const declared = declarationsOf(code).sort((a, b) => a.index - b.index);
  const problems: string[] = [];
  if (!header[0]?.startsWith(`// ${stem} — `))
    problems.push(`the first line does not start with "// ${stem} — "`);
  if (!header.some((line) => tableHead.test(line))) problems.push("the header has no binding table");
  problems.push(...compare(tableOf(header), declared));
  if (/\bStored4\b/.test(code) && !header.some((line) => line.includes("src/kernels/stored.ts")))
    problems.push("the header does not say where Stored4 comes from");
  for (const word of ["Dispatch:", "Numerics:"]) {
    if (!header.some((line) => line.startsWith(`// ${word} `)))
      problems.push(`the header has no "${word}" line`);
  }
  if (declared.some(({ group }) => group !== 0)) problems.push("a binding is outside @group(0)");
  if (declared[0]?.access !== "uniform" || declared[0]?.name !== "params") {
    problems.push("@binding(0) is not the uniform `params`");
  }
  const entries = [...code.matchAll(/@compute\b[^{]*?\bfn\s+(\w+)/g)].map(([, name]) => name);
  if (entries.length !== 1 || entries[0] !== stem)
    problems.push(`the entry points are [${entries}], not [${stem}]`);
  for (const [, name] of code.matchAll(/\boverride\s+(\w+)/g)) {
    if (!/^[A-Z][A-Z0-9_]*$/.test(name)) problems.push(`the override ${name} is not in upper case`);
  }
  for (const [, sizes] of code.matchAll(/@workgroup_size\(([^)]*)\)/g)) {
    if (/\b(?!1\b)\d+/.test(sizes))
      problems.push(`the workgroup size (${sizes}) is a literal, not an override`);
  }
  return problems;
}

/** Writes docs/config.md and the settings part of `--help` from the schema. */
import type { FieldDescription } from "./describe.ts";
import { describeBounds, describeDefault, describeFields } from "./describe.ts";

const cell = (text: string) => text.replace(/\|/g, "\\|");
const parentOf = (path: string) => (path.includes(".") ? path.slice(0, path.lastIndexOf(".")) : "");

function row(field: FieldDescription): string {
  const unit = field.unit ? ` (${field.unit})` : "";
  const value = describeDefault(field);
  const shown = field.derived === undefined && value !== "required" ? `\`${value}\`` : value;
  const source = field.source ? ` — ${field.source}` : "";
  const name = field.level === "basic" ? `**\`${field.path}\`**` : `\`${field.path}\``;
  return `| ${[name, shown, describeBounds(field) + unit, field.description + source].map(cell).join(" | ")} |`;
}

function table(fields: FieldDescription[]): string[] {
  return ["| setting | default | takes | meaning |", "| --- | --- | --- | --- |", ...fields.map(row)];
}

/** The whole of docs/config.md. */
export function configMarkdown(): string {
  const fields = describeFields();
  const leaves = (parent: string) =>
    fields.filter((field) => field.kind !== "group" && parentOf(field.path) === parent);
  const lines = [
    "# Settings",
    "",
    "Generated from `src/config/`; `npx vitest run --project logic test/style -u` writes it anew.",
    "",
    "A recipe is a JSON file of these settings; all have defaults, unknown ones are refused. What is set later wins:",
    "defaults, then the recipes named by `extends`, the recipe, `--set key=value`, flags of their own such as `--steps`.",
    "Settings in bold are the ones to know first. `task`, `tasks` and `data` exclude each other; without any of them the",
    'task is `chain_sum`. After the dash: where a default comes from; "prototype" stands for settings that worked in a',
    "prototype outside this project, on chain sums with a policy of 0.4 M parameters.",
    "",
    "## The run",
    "",
    ...table(leaves("")),
  ];
  for (const groupField of fields.filter((field) => field.kind === "group")) {
    lines.push(
      "",
      `## \`${groupField.path}\``,
      "",
      `${groupField.description}.`,
      "",
      ...table(leaves(groupField.path)),
    );
  }
  return `${lines.join("\n")}\n`;
}

/** Rows `[setting, default, meaning]` for a plain table; the basic settings only, unless `all`. */
export function settingRows(all: boolean): string[][] {
  return describeFields()
    .filter((field) => field.kind !== "group" && (all || field.level === "basic"))
    .map((field) => [
      field.path,
      describeDefault(field).replaceAll("`", ""),
      field.description.replaceAll("`", "") + (field.unit ? ` [${field.unit}]` : ""),
    ]);
}

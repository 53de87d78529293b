/** `--help`: examples first, then flags, then settings. */
import { settingRows } from "../config/docs.ts";
import { flagName } from "./args.ts";
import type { CommandSpec, OptionSpec } from "./command.ts";
import { formatTable } from "./table.ts";

const layout = { indent: 2, maxWidth: 110 };

function flagWords(key: string, spec: OptionSpec): string {
  const short = spec.short ? `-${spec.short}, ` : "";
  const value = spec.type === "flag" ? "" : ` ${spec.placeholder ?? "VALUE"}`;
  return `${short}--${flagName(key)}${value}`;
}

function flagMeaning(spec: OptionSpec): string {
  const fallback = "default" in spec && spec.default !== undefined ? ` (default ${spec.default})` : "";
  const needed = spec.type === "text" && spec.required ? " (required)" : "";
  return spec.description + fallback + needed;
}

/** Help of one command; `all` lists every setting of the recipe instead of the basic ones. */
export function commandHelp(spec: CommandSpec, all: boolean): string {
  const words = (spec.positionals ?? []).map(({ name, required }) =>
    required ? name.toUpperCase() : `[${name.toUpperCase()}]`,
  );
  const usage = ["npm run", spec.name, "--", ...words, "[flags]"].join(" ");
  const parts = [
    `${spec.summary}.`,
    "",
    "Examples",
    ...spec.examples.flatMap(({ line, does }) => [`  ${line}`, `      ${does}`]),
    "",
    `Usage: ${usage}`,
  ];
  const positionals = (spec.positionals ?? []).map(({ name, description }) => [
    name.toUpperCase(),
    description,
  ]);
  const flags = Object.entries(spec.options).map(([key, option]) => [
    flagWords(key, option),
    flagMeaning(option),
  ]);
  flags.push(["--help", spec.showsSettings ? "This text; --help-all lists every setting" : "This text"]);
  parts.push("", formatTable([], [...positionals, ...flags], layout));
  if (spec.showsSettings) {
    const title = all ? "All settings" : "Settings to know first";
    parts.push("", `${title} (--set key=value, or a recipe file)`, formatTable([], settingRows(all), layout));
  }
  return parts.join("\n");
}

/** The list of commands. */
export function generalHelp(specs: readonly CommandSpec[]): string {
  return [
    "webgrpo trains small language models by reinforcement learning on WebGPU.",
    "",
    "Examples",
    ...specs.slice(0, 3).map((spec) => `  ${spec.examples[0].line}`),
    "",
    "Commands",
    formatTable(
      [],
      specs.map((spec) => [`npm run ${spec.name}`, spec.summary]),
      layout,
    ),
    "",
    "`npm run COMMAND -- --help` shows a command's flags.",
  ].join("\n");
}

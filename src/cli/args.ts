/** Reads a command's words into typed arguments; refuses what its option table does not know. Node and Deno only. */
import { parseArgs } from "node:util";
import { suggest } from "../config/suggest.ts";
import { ConfigError } from "../errors.ts";
import type { Arguments, CommandSpec, OptionSpec, OptionTable } from "./command.ts";

/** `maxTokens` → `max-tokens`. */
export const flagName = (key: string): string =>
  key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

const usageError = (code: string, message: string, hint: string) => new ConfigError(code, message, { hint });

function readNumber(flag: string, raw: string, spec: OptionSpec & { type: "integer" | "number" }): number {
  const value = raw.trim() === "" ? Number.NaN : Number(raw);
  const whole = spec.type === "integer";
  const bad = whole ? !Number.isSafeInteger(value) : !Number.isFinite(value);
  if (bad || value < spec.min || value > spec.max) {
    throw usageError(
      "cli/bad-value",
      `Cannot use \`${raw}\` for \`--${flag}\`: it takes a ${whole ? "whole number" : "number"} from ${spec.min} to ${spec.max}`,
      `write it like \`--${flag} ${spec.default ?? spec.min}\``,
    );
  }
  return value;
}

function readIds(flag: string, raw: string): number[] {
  const parts = raw.trim() === "" ? [] : raw.trim().split(/\s*,\s*|\s+/);
  const ids = parts.map(Number);
  if (
    ids.length === 0 ||
    ids.some((id, i) => parts[i] === "" || !Number.isSafeInteger(id) || id < 0 || id > 0xffffffff)
  ) {
    throw usageError(
      "cli/bad-value",
      `Cannot use \`${raw}\` for \`--${flag}\`: it takes token ids, whole numbers from 0, with commas between`,
      `write it like \`--${flag} 1,2,3\``,
    );
  }
  return ids;
}

function readValue(flag: string, raw: string, spec: OptionSpec): string | number | number[] {
  if (spec.type === "integer" || spec.type === "number") return readNumber(flag, raw, spec);
  if (spec.type === "ids") return readIds(flag, raw);
  if (spec.type === "text" && raw.trim() === "" && !spec.mayBeEmpty) {
    throw usageError(
      "cli/bad-value",
      `Cannot use nothing for \`--${flag}\`: its value is empty`,
      `write \`--${flag} ${spec.placeholder ?? "VALUE"}\`; a shell variable that is not set leaves an empty value`,
    );
  }
  if (spec.type === "text" && spec.choices && !spec.choices.includes(raw)) {
    const near = suggest(raw, spec.choices);
    throw usageError(
      "cli/bad-value",
      `Cannot use \`${raw}\` for \`--${flag}\`: it takes one of ${spec.choices.join(", ")}`,
      near ? `did you mean \`${near}\`?` : "choose one of them",
    );
  }
  return raw;
}

function unknownFlag(command: string, flag: string, known: string[]): ConfigError {
  const near = suggest(flag, known);
  return usageError(
    "cli/unknown-flag",
    `Unknown flag \`${flag.length === 1 ? "-" : "--"}${flag}\` of \`${command}\``,
    near ? `did you mean \`--${near}\`?` : `\`npm run ${command} -- --help\` lists the flags`,
  );
}

function readPositionals(spec: CommandSpec, words: string[]): Record<string, string> {
  const wanted = spec.positionals ?? [];
  if (words.length > wanted.length) {
    throw usageError(
      "cli/unexpected-word",
      `Unexpected word \`${words[wanted.length]}\`: \`${spec.name}\` takes ${wanted.length === 0 ? "flags only" : `only ${wanted.map((p) => p.name.toUpperCase()).join(" ")}`}`,
      `\`npm run ${spec.name} -- --help\` shows how; quote values that hold spaces`,
    );
  }
  const missing = wanted.find((positional, i) => positional.required && words[i] === undefined);
  if (missing) {
    throw usageError(
      "cli/missing",
      `Cannot run \`${spec.name}\` without ${missing.name.toUpperCase()}: ${missing.description}`,
      spec.examples[0].line,
    );
  }
  return Object.fromEntries(wanted.map((positional, i) => [positional.name, words[i] ?? ""]));
}

/** Values that hold when no flag is given. */
function defaults(options: OptionTable): Map<string, unknown> {
  const fallback = (spec: OptionSpec): unknown => {
    if (spec.type === "flag") return false;
    if (spec.type === "texts") return [];
    return "default" in spec ? spec.default : undefined;
  };
  return new Map(Object.entries(options).map(([key, spec]) => [key, fallback(spec)]));
}

/** True where the words ask for help; `--help-all` asks for every setting. */
export function wantsHelp(words: readonly string[]): "no" | "short" | "all" {
  const end = words.indexOf("--");
  const flags = end < 0 ? words : words.slice(0, end);
  if (flags.includes("--help-all")) return "all";
  return flags.includes("--help") || flags.includes("-h") ? "short" : "no";
}

/**
 * Parses the words after the command's name.
 * @throws ConfigError `cli/unknown-flag`, `cli/bad-value`, `cli/missing`, `cli/unexpected-word` or `cli/repeated`
 */
export function parseCommand<T extends OptionTable>(
  spec: CommandSpec<T>,
  words: readonly string[],
): Arguments<T> {
  const keyOf = new Map(Object.keys(spec.options).map((key) => [flagName(key), key]));
  const values = defaults(spec.options);
  const { tokens } = parseArgs({
    args: [...words],
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: Object.fromEntries(
      Object.entries(spec.options).map(([key, { type, short }]) => [
        flagName(key),
        { type: type === "flag" ? ("boolean" as const) : ("string" as const), ...(short ? { short } : {}) },
      ]),
    ),
  });
  const positionals: string[] = [];
  const seen = new Set<string>();
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const key = keyOf.get(token.name);
    if (key === undefined) throw unknownFlag(spec.name, token.name, [...keyOf.keys(), "help"]);
    const option = spec.options[key];
    if (option.type === "flag") {
      if (token.value !== undefined) {
        throw usageError(
          "cli/bad-value",
          `Cannot give \`--${token.name}\` a value: it is a switch`,
          `write \`--${token.name}\` alone`,
        );
      }
      values.set(key, true);
      continue;
    }
    const looksLikeFlag = !token.inlineValue && /^-(?![\d.])/.test(token.value ?? "");
    if (token.value === undefined || looksLikeFlag) {
      throw usageError(
        "cli/missing",
        `Cannot read \`--${token.name}\`: it needs a value`,
        `write \`--${token.name} ${option.placeholder ?? "VALUE"}\`, or \`--${token.name}=-…\` for a value that starts with a dash`,
      );
    }
    if (option.type === "texts") {
      (values.get(key) as string[]).push(token.value);
      continue;
    }
    if (seen.has(key)) {
      throw usageError("cli/repeated", `Cannot take \`--${token.name}\` twice`, "give it once");
    }
    seen.add(key);
    values.set(key, readValue(token.name, token.value, option));
  }
  for (const [key, option] of Object.entries(spec.options)) {
    if (option.type === "text" && option.required && values.get(key) === undefined) {
      throw usageError(
        "cli/missing",
        `Cannot run \`${spec.name}\` without \`--${flagName(key)} ${option.placeholder ?? "VALUE"}\``,
        `for example: ${spec.examples[0].line}`,
      );
    }
  }
  return { ...Object.fromEntries(values), positionals: readPositionals(spec, positionals) } as Arguments<T>;
}

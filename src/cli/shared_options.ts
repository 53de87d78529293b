/** Flags that several commands have, and what types the tables of all. */
import type { CommandSpec, OptionTable } from "./command.ts";

export const json = {
  type: "flag",
  description: "Print newline-delimited JSON on stdout instead of text",
} as const;
export const seed = {
  type: "integer",
  min: 0,
  max: 4294967295,
  placeholder: "N",
  description: "Seed of every random number",
} as const;
export const requiredModel = {
  type: "text",
  required: true,
  placeholder: "DIR",
  description:
    "Model folder in Hugging Face layout, llama2.c's FILE.bin, hub id `owner/name[@revision]`, or `builtin:NAME`",
} as const;
export const maxTokens = {
  type: "integer",
  min: 1,
  max: 131072,
  placeholder: "N",
  description: "Longest completion in tokens",
} as const;
export const temperature = {
  type: "number",
  min: 0,
  max: 10,
  placeholder: "T",
  description: "Divides the logits; 0 takes the most probable token",
} as const;
export const stop = {
  type: "texts",
  placeholder: "TEXT",
  description: "Text that ends a completion where it first appears, any number of times",
} as const;
export const dtype = {
  type: "text",
  choices: ["f32", "f16"],
  placeholder: "f32|f16",
  description: "Number format of matrices and cache on the GPU; f32 when not given",
} as const;
export const set = {
  type: "texts",
  placeholder: "KEY=VALUE",
  description: "Change one setting of the recipe, any number of times (docs/config.md lists them)",
} as const;

/** Infers the option table literally, so that a body's arguments are typed. */
export const define = <const T extends OptionTable>(spec: CommandSpec<T>): CommandSpec<T> => spec;

/**
 * What a command is. The tables in options.ts describe all of them; src/cli/commands/NAME.ts adds `run` and is loaded
 * only when the command is called, so that one missing or broken body never hurts another.
 */
import type { Interrupt } from "./interrupt.ts";
import type { Output } from "./output.ts";

interface OptionBase {
  description: string;
  /** What stands for the value in `--help`, for example `DIR`. */
  placeholder?: string;
  short?: string;
}

/** One flag. Its key in the table is its camelCase name: `maxTokens` is `--max-tokens`. */
export type OptionSpec =
  | (OptionBase & { type: "flag" })
  | (OptionBase & {
      type: "text";
      default?: string;
      required?: true;
      choices?: readonly string[];
      /** Where no text is a text too; elsewhere it is what an unset variable of the shell leaves, and refused. */
      mayBeEmpty?: true;
    })
  | (OptionBase & { type: "texts" })
  | (OptionBase & { type: "integer" | "number"; default?: number; min: number; max: number })
  | (OptionBase & { type: "ids" });

export type OptionTable = Readonly<Record<string, OptionSpec>>;

/** A word without dashes, taken in order. */
export interface PositionalSpec {
  name: string;
  description: string;
  required: boolean;
}

type Present<S> = S extends { required: true } | { default: string | number } ? true : false;
type RawValue<S> = S extends { type: "flag" }
  ? boolean
  : S extends { type: "texts" }
    ? string[]
    : S extends { type: "ids" }
      ? number[] | undefined
      : S extends { type: "text" }
        ? Present<S> extends true
          ? string
          : string | undefined
        : Present<S> extends true
          ? number
          : number | undefined;

/** Values by camelCase flag name, and the positionals by name ("" when an optional one is absent). */
export type Arguments<T extends OptionTable = OptionTable> = { [K in keyof T]: RawValue<T[K]> } & {
  positionals: Record<string, string>;
};

/** Everything about a command but its body. */
export interface CommandSpec<T extends OptionTable = OptionTable> {
  name: string;
  /** One line for the list of commands. */
  summary: string;
  /** Full command lines with what they do; shown first in `--help`. */
  examples: readonly { line: string; does: string }[];
  options: T;
  positionals?: readonly PositionalSpec[];
  /** `--help` appends the recipe's settings. */
  showsSettings?: boolean;
  /** What Ctrl-C makes it do, for the user; "Stopping" where nothing is left of it. */
  onInterrupt?: string;
}

/** What a command works with besides its arguments. */
export interface CommandContext {
  /** Folder the user typed the command in: relative paths start there. */
  cwd: string;
  /** The project's root folder. */
  root: string;
  env: Readonly<Record<string, string | undefined>>;
  output: Output;
  interrupt: Interrupt;
}

/** A whole command. `run` gives the exit code: 0 done, 1 failed; errors may simply be thrown. */
export interface Command<T extends OptionTable = OptionTable> extends CommandSpec<T> {
  run(args: Arguments<T>, context: CommandContext): Promise<number>;
}

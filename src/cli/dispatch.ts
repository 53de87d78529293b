/**
 * Finds a command, reads its flags, runs its body and turns the outcome into an exit code: 0 done, 1 failed, 2 usage,
 * 130 interrupted. Called by main.ts; Node and Deno only.
 */
import { existsSync } from "node:fs";
import { suggestionHint } from "../config/suggest.ts";
import { ConfigError, describeError, WebgrpoError } from "../errors.ts";
import { parseCommand, wantsHelp } from "./args.ts";
import type { Command, CommandContext, CommandSpec } from "./command.ts";
import { commandHelp, generalHelp } from "./help.ts";
import { commandSpecs } from "./options.ts";

/** Finds a command by name. @throws ConfigError `cli/unknown-command` */
export function findCommand(name: string): CommandSpec {
  const spec = commandSpecs.find((one) => one.name === name);
  if (spec) return spec;
  throw new ConfigError("cli/unknown-command", `Unknown command \`${name}\``, {
    hint: suggestionHint(
      name,
      commandSpecs.map((one) => one.name),
      "commands",
    ),
  });
}

async function loadBody(spec: CommandSpec): Promise<Command> {
  const file = new URL(`./commands/${spec.name}.ts`, import.meta.url);
  if (!existsSync(file)) {
    throw new WebgrpoError(
      "cli/no-body",
      `The command \`${spec.name}\` is not part of this build: ${spec.name}.ts is missing`,
      {
        hint: "check out the whole project",
      },
    );
  }
  const module = (await import(file.href)) as { command: Command };
  return module.command;
}

/** Runs a command line and gives its exit code; never throws. */
export async function runCommand(words: readonly string[], context: CommandContext): Promise<number> {
  const { output, interrupt } = context;
  try {
    const [name, ...rest] = words;
    if (name === undefined || name.startsWith("-") || name === "help") {
      output.stream(`${generalHelp(commandSpecs)}\n`);
      if (name !== undefined && wantsHelp(words) === "no" && name !== "help") findCommand(name);
      return name === undefined ? 2 : 0;
    }
    const spec = findCommand(name);
    const help = wantsHelp(rest);
    if (help !== "no") {
      output.stream(`${commandHelp(spec, help === "all")}\n`);
      return 0;
    }
    const args = parseCommand(spec, rest);
    const command = await loadBody(spec);
    if (spec.onInterrupt !== undefined) interrupt.goal = spec.onInterrupt;
    const code = await command.run(args, context);
    return interrupt.signal.aborted ? 130 : code;
  } catch (error) {
    if (interrupt.signal.aborted && error === interrupt.signal.reason) return 130;
    output.note(output.paint("red", describeError(error)));
    return error instanceof ConfigError ? 2 : 1;
  }
}

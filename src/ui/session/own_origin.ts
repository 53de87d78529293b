/**
 * What a page may fetch or run by itself: only what lies on its own origin. Addresses come in links that anybody may have
 * written; models and data sets are asked for by name, in sight, and are not run.
 */
import { ConfigError } from "../../errors.ts";

/** Whether an address, seen from the page's, leads to another origin; also where it is no address at all. */
export function isElsewhere(address: string, base: string): boolean {
  return !URL.canParse(address, base) || new URL(address, base).origin !== new URL(base).origin;
}

/** The address of a recipe seen from where it is named. @throws ConfigError `config/recipe-elsewhere` */
export function recipeAddress(name: string, from: string, base: string): URL {
  if (!URL.canParse(name, from) || isElsewhere(new URL(name, from).href, base)) {
    throw new ConfigError(
      "config/recipe-elsewhere",
      `Cannot fetch the recipe \`${name}\`: it is not on this site`,
      {
        hint: "download it and import the file in the settings, or paste its JSON there",
      },
    );
  }
  return new URL(name, from);
}

/** Why a module of rewards, which is a program, cannot be run here; null where it can. */
export function moduleRefusal(path: string, base: string): ConfigError | null {
  if (!isElsewhere(path, base)) return null;
  return new ConfigError(
    "config/module-elsewhere",
    `Cannot use \`verifier.rewardModule\` ${path.length > 60 ? `${path.slice(0, 59)}…` : path}: a page runs only programs of its own site`,
    { hint: "put the module beside the page's files, or train from the command line" },
  );
}

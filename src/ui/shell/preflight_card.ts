/** What the preflight card says of the recipe, when it offers a smaller one, and what it changes. */
import type { Preflight, PreflightLine } from "../session/api.ts";

/** Lines that no recipe can change. */
const OF_THE_MACHINE = new Set(["browser", "adapter", "files"]);

export function recipeTitle(recipe: Record<string, unknown>): string {
  const { extends: parent, name, ...own } = recipe;
  const base =
    typeof name === "string" && name ? name : typeof parent === "string" && parent ? parent : "your own";
  const turned = Object.keys(own).length > 0 && base === parent;
  return turned ? `${base}, with your settings` : base;
}

/** True where the run is refused for what it asks, and the smallest recipe might be granted. */
export function offersSmoke(
  recipe: Record<string, unknown>,
  lines: readonly PreflightLine[] | null,
  problem: string | null,
): boolean {
  const isSmoke = recipe.extends === "smoke" && Object.keys(recipe).length === 1;
  if (isSmoke || lines === null) return false;
  const stops = lines.filter(({ level }) => level === "stop");
  return problem !== null || (stops.length > 0 && stops.every(({ key }) => !OF_THE_MACHINE.has(key)));
}

/** The recipe with settings, given by path, laid over it. */
export function withSettings(
  recipe: Record<string, unknown>,
  settings: NonNullable<Preflight["fit"]>,
): Record<string, unknown> {
  const changed = structuredClone(recipe);
  for (const [path, value] of Object.entries(settings)) {
    const names = path.split(".");
    const last = names.pop() as string;
    let group = changed;
    for (const name of names) {
      if (typeof group[name] !== "object" || group[name] === null) group[name] = {};
      group = group[name] as Record<string, unknown>;
    }
    group[last] = value;
  }
  return changed;
}

/** Settings of a run's recipe that charts and alerts refer to; the recipe is plain JSON here, possibly incomplete. */

function field(recipe: Record<string, unknown>, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>(
      (value, key) =>
        typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined,
      recipe,
    );
}

export function numberField(recipe: Record<string, unknown>, path: string): number | null {
  const value = field(recipe, path);
  return typeof value === "number" ? value : null;
}

export function textField(recipe: Record<string, unknown>, path: string): string | null {
  const value = field(recipe, path);
  return typeof value === "string" ? value : null;
}

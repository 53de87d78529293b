/** The page's colours for canvases, which cannot use CSS variables: read once for each scheme and again when it changes. */

const read = new Map<string, string>();
const listeners = new Set<() => void>();
const dark = typeof matchMedia === "function" ? matchMedia("(prefers-color-scheme: dark)") : null;

dark?.addEventListener("change", () => {
  read.clear();
  for (const listener of listeners) listener();
});

/** The value of a CSS variable of the page, such as `--trainer`. */
export function themeValue(variable: string): string {
  const known = read.get(variable);
  if (known !== undefined) return known;
  const value = getComputedStyle(document.documentElement).getPropertyValue(variable).trim();
  read.set(variable, value);
  return value;
}

/** Calls back after light became dark or the reverse; returns how to stop that. */
export function onThemeChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The page's typeface at a size for a canvas. */
export const themeFont = (pixels: number) => `${pixels}px ${themeValue("--sans") || "sans-serif"}`;

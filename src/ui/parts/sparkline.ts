/** Where the points of a small line chart lie. */

export interface SparklineBox {
  width: number;
  height: number;
  /** Kept free above and below, so that the line is not cut. */
  inset: number;
}

export interface SparklineScale {
  /** How many points the whole width stands for. */
  length: number;
  low: number;
  high: number;
}

export interface Point {
  x: number;
  y: number;
}

/** A scale that holds all values and, for shares, the whole of 0 to 1, so that it does not shift as values come. */
export function scaleOf(values: readonly (number | null)[], length: number): SparklineScale {
  const known = values.filter((value) => value !== null);
  return {
    length: Math.max(length, values.length, 2),
    low: Math.min(0, ...known),
    high: Math.max(1, ...known),
  };
}

/** More points than a line this small can show are thinned: every so-manieth is kept, and the last. */
export function thinned<T>(points: readonly T[], most: number): T[] {
  const stride = Math.max(1, Math.ceil(points.length / most));
  return points.filter((_, index) => index % stride === 0 || index === points.length - 1);
}

/** Points of the values that were measured; index 0 lies at the left. */
export function sparklinePoints(
  values: readonly (number | null)[],
  { length, low, high }: SparklineScale,
  { width, height, inset }: SparklineBox,
): Point[] {
  return values.flatMap((value, index) =>
    value === null
      ? []
      : [
          {
            x: (index / (length - 1)) * width,
            y: height - inset - ((value - low) / (high - low)) * (height - 2 * inset),
          },
        ],
  );
}

/** The points as an SVG path. */
export function pathOf(points: readonly Point[]): string {
  return points.map(({ x, y }, index) => `${index ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
}

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { gpuTrackOf } from "../../../../src/metrics/trace.ts";
import { STAGES } from "../../../../src/ui/state/records.ts";
import { PHASES } from "../../../../src/ui/views/timeline/activities.ts";
import {
  contrast,
  mix,
  type Palette,
  parseColour,
  type Rgb,
} from "../../../../src/ui/views/timeline/palette.ts";
import { fillOf, SliceStyles } from "../../../../src/ui/views/timeline/slice_style.ts";

/** The theme's colours as the page has them. */
function palettes(): Palette[] {
  const theme = readFileSync(new URL("../../../../src/ui/theme.css", import.meta.url), "utf8");
  const dark = theme.indexOf("prefers-color-scheme: dark");
  return [theme.slice(0, dark), theme.slice(dark)].map((text) => {
    const token = (name: string) => parseColour(new RegExp(`--${name}: (#[0-9a-f]+);`).exec(text)![1]);
    return {
      card: token("card"),
      sunk: token("sunk"),
      line: token("line"),
      ink: token("ink"),
      soft: token("ink-soft"),
      accent: token("accent"),
      stages: Object.fromEntries(STAGES.map((stage) => [stage, token(stage)])) as Palette["stages"],
      other: token("ink-soft"),
    };
  });
}

describe("SliceStyles", () => {
  it("writes on every slice, work or wait, with a contrast of 4.5 at least, light and dark", () => {
    for (const palette of palettes()) {
      const styles = new SliceStyles(palette);
      for (const track of [
        "tasks",
        "generator 0",
        "GPU of generator 0",
        "verifier 1",
        "trainer",
        "GPU of the trainer",
        "weights",
        "disk",
      ])
        for (const name of [
          "compute",
          "prefill",
          "decode",
          "pack",
          "forward",
          "backward",
          "optimiser",
          "read back",
          "forward, backward, optimiser",
          "publish",
          "save",
          "wait for rollouts",
          "take weights",
        ]) {
          const { fill, text } = styles.of(track, name);
          expect(
            contrast(parseColour(fill), parseColour(text)),
            `${name} on ${track}`,
          ).toBeGreaterThanOrEqual(4.5);
        }
      expect(contrast(palette.soft, palette.sunk)).toBeGreaterThanOrEqual(4.5);
    }
  });

  it("gives publishing and saving the weights' colour, and waits a paler one", () => {
    const [palette] = palettes();
    const styles = new SliceStyles(palette);
    expect(parseColour(styles.of("trainer", "publish").fill)).toEqual(palette.stages.weights);
    expect(parseColour(styles.of("trainer", "save").line)).toEqual(palette.stages.weights);
    expect(parseColour(styles.of("trainer", "forward, backward, optimiser").fill)).toEqual(
      palette.stages.trainer,
    );
    const wait = parseColour(styles.of("trainer", "wait for rollouts").fill);
    expect(contrast(wait, palette.card)).toBeLessThan(1.5);
    expect(styles.of("trainer", "wait for rollouts").wait).toBe(true);
  });
});

describe("what the trainer does for a step", () => {
  it("can be told apart where it follows each other, light and dark", () => {
    const inOrder = [
      "pack",
      "forward",
      "backward",
      "forward",
      "backward",
      "optimiser",
      "read back",
      "publish",
    ];
    for (const palette of palettes()) {
      const styles = new SliceStyles(palette);
      const fills = inOrder.map((name) => parseColour(styles.of("trainer", name).fill));
      for (let k = 1; k < fills.length; k++)
        expect(contrast(fills[k - 1], fills[k]), `${inOrder[k - 1]}, ${inOrder[k]}`).toBeGreaterThan(1.3);
      const [, forward, backward, , , optimiser] = fills;
      for (const [one, other] of [
        [forward, backward],
        [backward, optimiser],
        [forward, optimiser],
      ])
        expect(contrast(one, other)).toBeGreaterThan(1.5);
    }
  });

  it("has its colours in the legend as on the canvas", () => {
    for (const palette of palettes()) {
      const styles = new SliceStyles(palette);
      for (const name of PHASES) {
        const parts = /^color-mix\(in srgb, var\(--trainer\), var\(--(card|ink)\) (\d+)%\)$/.exec(
          fillOf("trainer", name),
        );
        const towards = palette[parts?.[1] as "card" | "ink"];
        expect(parseColour(styles.of("trainer", name).fill)).toEqual(
          mix(palette.stages.trainer, towards, Number(parts?.[2]) / 100),
        );
      }
    }
  });
});

describe("a GPU's slices", () => {
  it("are told from work and waits by hatching of their own, and from their ground by colour", () => {
    for (const palette of palettes()) {
      const styles = new SliceStyles(palette);
      for (const worker of ["generator 0", "trainer"]) {
        const gpu = styles.of(gpuTrackOf(worker), "compute");
        const hatching = [styles.of(worker, "decode"), styles.of(worker, "wait"), gpu].map(
          ({ hatch }) => hatch,
        );
        expect(new Set(hatching).size).toBe(3);
        expect(gpu.line).toBe(styles.of(worker, "decode").line);
        const [fill, work, ground] = [
          gpu.fill,
          styles.of(worker, "decode").fill,
          styles.of(worker, "wait").fill,
        ];
        expect(new Set([fill, work, ground]).size).toBe(3);
        const merged = (track: string) => parseColour(styles.merged(track, 1, false));
        // Paler than its worker's where slices are too narrow for hatching.
        expect(contrast(merged(gpuTrackOf(worker)), palette.sunk)).toBeLessThan(
          contrast(merged(worker), palette.sunk),
        );
      }
    }
  });
});

describe("parseColour()", () => {
  it("reads what themes and computed styles write, and refuses the rest", () => {
    const orange: Rgb = [255, 136, 0];
    for (const text of ["#ff8800", "#f80", "rgb(255, 136, 0)", " rgb(255 136 0 / 50%)"])
      expect(parseColour(text)).toEqual(orange);
    expect(() => parseColour("oklch(0.7 0.1 50)")).toThrow(/rgb\(\) is needed/);
    expect(mix([0, 0, 0], [100, 200, 50], 0.5)).toEqual([50, 100, 25]);
  });
});

// @vitest-environment happy-dom
import { h, render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Chart, type ChartProps } from "../../../src/ui/parts/Chart.tsx";

interface Options {
  height: number;
  scales: { x: { range(): number[] }; y: { distr: number; range(): number[] } };
  axes: { show?: boolean; splits?(...given: unknown[]): number[] }[];
  series: { stroke?(): string }[];
  hooks: { setScale: ((plot: unknown, key: string) => void)[] };
}

/** There is no canvas here: what the library is asked for is kept instead. */
const made = vi.hoisted(() => ({
  plots: [] as { options: Options; data: unknown[][][]; isGone: boolean; over: HTMLElement; scale: number }[],
}));
vi.mock("uplot", () => {
  class Plot {
    static readonly paths = {};
    readonly options: Options;
    readonly data: unknown[][][] = [];
    isGone = false;
    /** Of x, a pixel. */
    scale = 1;
    readonly bbox = { width: 450 };
    readonly over = document.createElement("div");
    constructor(options: Options) {
      this.options = options;
      made.plots.push(this);
    }
    setData(drawn: unknown[][]) {
      this.data.push(drawn);
    }
    posToVal(pixels: number) {
      return pixels * this.scale;
    }
    destroy() {
      this.isGone = true;
    }
  }
  return { default: Plot };
});

const PROPS: ChartProps = {
  label: "Entropy, falling",
  height: 200,
  tables: [{ xs: Float64Array.of(1, 2), columns: [Float64Array.of(5, Number.NaN)] }],
  lines: [{ color: "--trainer", width: 2 }],
  xRange: [0, 10],
  yRange: [0, 1],
  formatY: String,
  syncKey: "test",
  onCursor: () => undefined,
};

let root: HTMLElement;
const show = (changes: Partial<ChartProps> = {}) =>
  act(() => render(h(Chart, { ...PROPS, ...changes }), root));
const newest = () => made.plots.at(-1)!;
const drawn = (times: number) => vi.waitFor(() => expect(newest().data).toHaveLength(times));

beforeEach(() => {
  made.plots.length = 0;
  root = document.body.appendChild(document.createElement("div"));
});
afterEach(() => {
  act(() => render(null, root));
  root.remove();
  expect(made.plots.every(({ isGone }) => isGone)).toBe(true);
});

describe("Chart", () => {
  it("tells in words what the canvas shows", () => {
    show();
    expect(root.querySelector("[role=img]")?.getAttribute("aria-label")).toBe("Entropy, falling");
  });

  it("hands over all of its data at once, in ranges of its own", async () => {
    show();
    await drawn(1);
    expect(newest().data[0]).toEqual([
      [1, 2],
      [5, null],
    ]);
    expect(newest().options.scales.x.range()).toEqual([0, 10]);
    show({ xRange: [0, 20] });
    await drawn(2);
    expect(newest().options.scales.x.range()).toEqual([0, 20]);
    expect(made.plots).toHaveLength(1);
  });

  it("is built anew when its lines are others, and only then", () => {
    show();
    show({ yRange: [0, 9], tables: [...PROPS.tables], lines: [{ color: "--trainer", width: 2 }] });
    expect(made.plots).toHaveLength(1);
    show({ lines: [{ color: "--weights", width: 2 }] });
    expect(made.plots.map(({ isGone }) => isGone)).toEqual([true, false]);
  });

  it("tells what the pointer points at, also when the axis goes on under it, and nothing once it is gone", () => {
    const told: (number | null)[] = [];
    const onCursor = (x: number | null) => told.push(x);
    const rescale = (key: string) => newest().options.hooks.setScale[0](newest(), key);
    show({ onCursor });
    rescale("x");
    expect(told).toEqual([]);
    newest().over.dispatchEvent(Object.assign(new Event("pointermove"), { offsetX: 40 }));
    newest().scale = 2;
    for (const key of ["y", "x"]) rescale(key);
    expect(told).toEqual([40, 80]);
    act(() => render(null, root));
    expect(told).toEqual([40, 80, null]);
  });

  it("takes its colours from the page", () => {
    document.documentElement.style.setProperty("--trainer", "#b13a63");
    show();
    expect(newest().options.series[1].stroke?.()).toBe("#b13a63");
  });

  it("has ticks at whole decades of a logarithmic axis, every second one where there are many", () => {
    show({ logarithmic: true });
    const ticks = newest().options.axes[1].splits!;
    expect(newest().options.scales.y.distr).toBe(3);
    expect(ticks(null, 1, 1e-3, 1)).toEqual([1e-3, 1e-2, 1e-1, 1]);
    expect(ticks(null, 1, 1e-6, 0.1)).toHaveLength(3);
  });

  it("has ticks at the ends where there is room for one step only", () => {
    show();
    const ticks = newest().options.axes[1].splits!;
    expect(ticks(null, 1, 0, 0.4, 0.5)).toEqual([0, 0.4]);
    expect(ticks(null, 1, 0, 0.3, 0.1)).toEqual([0, 0.1, 0.2, 0.3]);
  });
});

/** uPlot behind a component: whole data at once, fixed ranges, colours of the theme, one cursor over all charts of a key. */
import { useLayoutEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import "./chart.css";
import { alignTables, type ChartTable, pickRows, takeRows } from "./chart_columns.ts";
import { type ChartLimit, type ChartMark, drawLimits, drawMarks, LABEL_ROW } from "./chart_draw.ts";
import { FrameQueue, Pace } from "./chart_pace.ts";
import { onThemeChange, themeFont, themeValue } from "./chart_theme.ts";

export interface ChartLine {
  /** A CSS variable, such as `--trainer`. */
  color: string;
  /** In CSS pixels; 0 draws no line. */
  width: number;
  alpha?: number;
  dash?: number[];
  /** Holds its value until the next row. */
  stepped?: boolean;
  /** Diameter of a dot at each value. */
  dots?: number;
  /** Shows a dot under the cursor. */
  hover?: boolean;
}

export interface ChartBand {
  /** Lines between which it is filled, counted from 0. */
  upper: number;
  lower: number;
  color: string;
  alpha: number;
}

export interface ChartProps {
  /** What it shows, in words: the canvas says nothing to a screen reader. */
  label: string;
  height: number;
  /** A run each; their columns in turn belong to `lines`. */
  tables: readonly ChartTable[];
  lines: readonly ChartLine[];
  bands?: readonly ChartBand[];
  xRange: readonly [number, number];
  yRange: readonly [number, number];
  logarithmic?: boolean;
  /** Labels of the axes' ticks; without `formatX` there is no x axis. */
  formatX?(value: number, isFirst: boolean): string;
  /** Distances that ticks of x may have. */
  xSteps?: readonly number[];
  formatY(value: number): string;
  limits?: readonly ChartLimit[];
  marks?: readonly ChartMark[];
  labelMarks?: boolean;
  /** Charts of one key share their cursor. */
  syncKey: string;
  onCursor(x: number | null): void;
}

const REDRAW_MS = 100;
/** Of the 16 ms of a frame, what all charts together may take. */
const frames = new FrameQueue(8);
const Y_AXIS_WIDTH = 48;
const X_AXIS_HEIGHT = 24;

/** All of them within a range, or every second one where there are many. */
function powersOfTen(low: number, high: number): number[] {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const count = Math.floor(Math.log10(high) + 1e-9) - first + 1;
  const stride = count > 5 ? 2 : 1;
  return Array.from({ length: Math.ceil(count / stride) }, (_, index) => 10 ** (first + index * stride));
}

/** The ends of the range where only one multiple lies within. */
function multiplesOf(step: number, low: number, high: number): number[] {
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  if (last <= first) return [low, high];
  return Array.from({ length: last - first + 1 }, (_, index) =>
    Number(((first + index) * step).toPrecision(9)),
  );
}

/** What a plot is told by, while its options stay. */
interface Current {
  props: ChartProps;
  /** Where the pointer rests on this plot, in pixels; null where it does not. */
  pointer: number | null;
}

const hasLabels = ({ marks = [], labelMarks }: ChartProps) => labelMarks === true && marks.length > 0;

function optionsOf(current: Current, width: number): uPlot.Options {
  const { lines, bands = [], height, logarithmic, syncKey, formatX } = current.props;
  const axis = (side: uPlot.Axis.Side): uPlot.Axis => ({
    side,
    stroke: () => themeValue("--ink-soft"),
    font: themeFont(11),
    grid: { show: side === 3, stroke: () => themeValue("--line"), width: 1 },
    ticks: { show: false },
    gap: 6,
  });
  return {
    width,
    height,
    padding: [hasLabels(current.props) ? LABEL_ROW + 4 : 8, 12, formatX ? 0 : 8, 0],
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: false, y: false, setScale: false },
      sync: { key: syncKey, scales: ["x", null] },
      points: {
        size: (_, series) => (lines[series - 1]?.hover ? 7 : 0),
        fill: (_, series) => themeValue(lines[series - 1]?.color ?? "--ink"),
        stroke: () => themeValue("--card"),
        width: 1.5,
      },
    },
    scales: {
      x: { time: false, range: () => [...current.props.xRange] },
      y: { distr: logarithmic ? 3 : 1, range: () => [...current.props.yRange] },
    },
    axes: [
      {
        ...axis(2),
        show: formatX !== undefined,
        size: X_AXIS_HEIGHT,
        space: 64,
        incrs: () => [...(current.props.xSteps ?? [])],
        values: (_, splits) => splits.map((x, index) => current.props.formatX?.(x, index === 0) ?? ""),
      },
      {
        ...axis(3),
        size: Y_AXIS_WIDTH,
        space: 32,
        splits: (_, __, low, high, step) =>
          logarithmic ? powersOfTen(low, high) : multiplesOf(step, low, high),
        filter: (_, splits) => splits,
        values: (_, splits) => splits.map((y) => (y === null ? "" : current.props.formatY(y))),
      },
    ],
    series: [
      {},
      ...lines.map(
        (line): uPlot.Series => ({
          stroke: () => themeValue(line.color),
          width: line.width,
          alpha: line.alpha ?? 1,
          dash: line.dash,
          paths: line.stepped ? uPlot.paths.stepped?.({ align: 1 }) : uPlot.paths.linear?.(),
          points: {
            show: line.dots !== undefined,
            size: line.dots,
            space: 0,
            fill: () => themeValue(line.color),
          },
        }),
      ),
    ],
    bands: bands.map(({ upper, lower, color, alpha }) => ({
      series: [upper + 1, lower + 1],
      fill: () =>
        `${themeValue(color)}${Math.round(alpha * 255)
          .toString(16)
          .padStart(2, "0")}`,
    })),
    hooks: {
      // Under a pointer that rests the axis goes on.
      setScale: [
        (plot, key) => {
          if (key === "x" && current.pointer !== null)
            current.props.onCursor(plot.posToVal(current.pointer, "x"));
        },
      ],
      drawAxes: [(plot) => drawLimits(plot, current.props.limits ?? [])],
      draw: [(plot) => drawMarks(plot, current.props.marks ?? [], current.props.labelMarks ?? false)],
    },
  };
}

/** A chart as wide as its place. What it is made of is fixed by `lines`, `bands`, the height and the kind of its axes. */
export function Chart(props: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const current = useRef<Current>({ props, pointer: null }).current;
  const pace = useRef<Pace | null>(null);
  current.props = props;
  const { lines, bands, height, logarithmic, formatX } = props;
  const made = JSON.stringify([lines, bands, height, logarithmic, !formatX, hasLabels(props)]);

  useLayoutEffect(() => {
    const element = place.current!;
    const plot = new uPlot(optionsOf(current, Math.max(1, element.clientWidth)), undefined, element);
    const drawn = new Pace(
      () => {
        // Peaks are kept whatever the stretch: two pixels show the same line at half the cost.
        const stretches = Math.max(50, Math.round(plot.bbox.width / devicePixelRatio / 2));
        plot.setData(
          alignTables(current.props.tables.map((table) => takeRows(table, pickRows(table, stretches)))),
        );
      },
      REDRAW_MS,
      frames,
    );
    pace.current = drawn;
    const resized = new ResizeObserver(([{ contentRect }]) => {
      if (contentRect.width < 1 || contentRect.width === plot.width) return;
      plot.setSize({ width: contentRect.width, height: current.props.height });
      drawn.ask();
    });
    resized.observe(element);
    const stopTheme = onThemeChange(() => plot.redraw(false, true));
    const leave = () => {
      current.pointer = null;
      current.props.onCursor(null);
    };
    plot.over.addEventListener("pointermove", ({ offsetX }) => {
      current.pointer = offsetX;
      current.props.onCursor(plot.posToVal(offsetX, "x"));
    });
    plot.over.addEventListener("pointerleave", leave);
    return () => {
      // What goes away under the pointer never hears that it left.
      if (current.pointer !== null) leave();
      stopTheme();
      resized.disconnect();
      drawn.stop();
      plot.destroy();
    };
  }, [made]);

  const [left, right] = props.xRange;
  const [low, high] = props.yRange;
  useLayoutEffect(
    () => pace.current?.ask(),
    [made, props.tables, left, right, low, high, props.marks, props.limits, props.formatX],
  );

  return (
    <div
      ref={place}
      class="chart"
      role="img"
      aria-label={props.label}
      style={{ height: `${props.height}px` }}
    />
  );
}

/** Numbers as the charts write them: few digits, the same width while they change. */
import type { XAxis } from "./run_table.ts";

export const NOT_MEASURED = "–";
const THIN_SPACE = "\u2009";
const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export type NumberKind = "score" | "share" | "length" | "rate" | "scientific" | "norm" | "age";

function superscript(exponent: number): string {
  const digits = [...String(Math.abs(exponent))].map((digit) => SUPERSCRIPTS[Number(digit)]).join("");
  return exponent < 0 ? `⁻${digits}` : digits;
}

function scientific(value: number): string {
  if (value === 0) return "0";
  const [mantissa, exponent] = value.toExponential(1).split("e");
  return Number(exponent) === 0 ? mantissa : `${mantissa}·10${superscript(Number(exponent))}`;
}

/** Large and small numbers alike without jumping between notations at every step. */
function threeDigits(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6) return scientific(value);
  if (size >= 100) return grouped.format(value);
  return value.toFixed(size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

/** A value of a chart: `0.947`, `81.5 %`, `1,431`, `4.6·10⁻⁵`; a dash for NaN, what was not measured. */
export function formatValue(value: number, kind: NumberKind): string {
  if (Number.isNaN(value)) return NOT_MEASURED;
  switch (kind) {
    case "score":
      return value.toFixed(3);
    case "share":
      return `${(100 * value).toFixed(1)}${THIN_SPACE}%`;
    case "length":
      return value >= 1000 ? grouped.format(value) : value.toFixed(1);
    case "rate":
      return grouped.format(value);
    case "scientific":
      return scientific(value);
    case "norm":
      return threeDigits(value);
    case "age":
      return value.toFixed(2);
  }
}

/** A tick of a y axis: shorter than a value. */
export function formatTick(value: number, kind: NumberKind): string {
  if (kind === "share") return `${Number((100 * value).toFixed(2))}${THIN_SPACE}%`;
  if (kind === "scientific") {
    const exponent = Math.log10(value);
    return Math.abs(exponent - Math.round(exponent)) < 1e-9 ? `10${superscript(Math.round(exponent))}` : "";
  }
  return compact(value);
}

/** `950`, `1.5k`, `20M`. */
export function compact(value: number): string {
  const size = Math.abs(value);
  const unit = size >= 1e9 ? 1e9 : size >= 1e6 ? 1e6 : size >= 1e3 ? 1e3 : 1;
  const name = { 1: "", 1e3: "k", 1e6: "M", 1e9: "G" }[unit];
  return `${Number((value / unit).toPrecision(3))}${name}`;
}

/** `45 s`, `2 min 05 s`, `1 h 10 min`. */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}${THIN_SPACE}s`;
  const minutes = Math.floor(whole / 60);
  const two = (value: number) => String(value).padStart(2, "0");
  if (minutes < 60) return whole % 60 === 0 ? `${minutes} min` : `${minutes} min ${two(whole % 60)} s`;
  return minutes % 60 === 0
    ? `${Math.floor(minutes / 60)} h`
    : `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

/** A tick of the x axis; the first one says what is counted. */
export function formatX(axis: XAxis, value: number, isFirst = false): string {
  if (axis === "time") return formatDuration(value);
  const number = compact(value);
  if (!isFirst) return number;
  return axis === "step" ? `step ${number}` : `${number} tokens`;
}

const decimalSteps = Array.from({ length: 10 }, (_, power) =>
  [1, 2, 5].map((digit) => digit * 10 ** power),
).flat();
const timeSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400];

/** Distances that ticks of the x axis may have: whole steps, and times as clocks have them. */
export const xSteps = (axis: XAxis): readonly number[] => (axis === "time" ? timeSteps : decimalSteps);

/** A line of values without axes; what it shows is said in words beside it. */
import { pathOf, scaleOf, sparklinePoints, thinned } from "./sparkline.ts";

interface SparklineProps {
  values: readonly (number | null)[];
  /** How many values the whole width stands for. */
  length: number;
  width?: number;
  height?: number;
  /** Drawn as a dot: the index of the newest value; the last one by default. */
  at?: number;
}

export function Sparkline({ values, length, width = 320, height = 72, at }: SparklineProps) {
  const box = { width, height, inset: 5 };
  const points = sparklinePoints(values, scaleOf(values, length), box);
  const end = points[Math.min(points.length - 1, at ?? points.length - 1)];
  const floor = height - box.inset;
  const path = pathOf(thinned(points, width));
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      aria-hidden="true"
      focusable="false"
    >
      <path class="sparkline-frame" d={`M0 ${box.inset}H${width}`} />
      <path class="sparkline-frame" d={`M0 ${floor}H${width}`} />
      {end && (
        <>
          <path class="sparkline-area" d={`${path}V${floor}H${points[0].x}Z`} />
          <path class="sparkline-line" d={path} />
          {/* A line of no length with a round cap stays round however the drawing is stretched. */}
          <path class="sparkline-end" d={`M${end.x} ${end.y}h0.01`} />
        </>
      )}
    </svg>
  );
}

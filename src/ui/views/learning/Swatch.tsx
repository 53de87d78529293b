/** How a series is drawn, beside its name. */
import type { SeriesStyle } from "./definitions.ts";

interface SwatchProps {
  color: string;
  style?: SeriesStyle;
  dash?: readonly number[];
}

export function Swatch({ color, style = "line", dash }: SwatchProps) {
  return (
    <svg class="learning-swatch" width="22" height="10" viewBox="0 0 22 10" aria-hidden="true">
      <path
        d={style === "ceiling" ? "M1 7h7V3h7v4h6" : "M1 5h20"}
        fill="none"
        stroke={`var(${color})`}
        stroke-width={style === "line" ? 2 : 1}
        stroke-dasharray={style === "dots" ? "2 3" : dash?.join(" ")}
      />
      {style === "dots" && <circle cx="11" cy="5" r="3.5" fill={`var(${color})`} />}
    </svg>
  );
}

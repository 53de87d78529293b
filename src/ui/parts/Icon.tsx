/** The page's few pictograms, drawn in the text's colour; always beside a word or in a labelled button. */
const PATHS = {
  play: "M5 3.2v9.6L13 8z",
  pause: "M4 3h3v10H4zM9 3h3v10H9z",
  step: "M3 3.2v9.6L9.5 8zM11 3h2v10h-2z",
  again: "M8 2.5a5.5 5.5 0 1 0 5.5 5.5h-2A3.5 3.5 0 1 1 8 4.5V7l4-3.5L8 0z",
  stop: "M3.5 3.5h9v9h-9z",
  close: "M3.4 4.8 4.8 3.4 8 6.6l3.2-3.2 1.4 1.4L9.4 8l3.2 3.2-1.4 1.4L8 9.4l-3.2 3.2-1.4-1.4L6.6 8z",
  right: "M6.3 12.3 2.4 8.4l1.3-1.3 2.6 2.6 6-6 1.3 1.3z",
  wrong: "M4 5.2 5.2 4 8 6.8 10.8 4 12 5.2 9.2 8l2.8 2.8-1.2 1.2L8 9.2 5.2 12 4 10.8 6.8 8z",
  list: "M2 3.5h12V5H2zM2 7.25h12v1.5H2zM2 11h12v1.5H2z",
  note: "M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM7.2 4v1.6h1.6V4zm0 3v5h1.6V7z",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 14 }: { name: IconName; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} fill="currentColor" />
    </svg>
  );
}

/** The sign of the project: a loop of five stages. */
export function LoopMark({ size = 26 }: { size?: number }) {
  const stages = ["tasks", "generator", "verifier", "trainer", "weights"];
  const length = 2 * Math.PI * 11;
  const arc = length / 5;
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      {stages.map((stage, index) => (
        <circle
          key={stage}
          cx="16"
          cy="16"
          r="11"
          fill="none"
          stroke={`var(--${stage})`}
          stroke-width="5.5"
          stroke-dasharray={`${arc - 2.4} ${length - arc + 2.4}`}
          transform={`rotate(${-90 + index * 72} 16 16)`}
        />
      ))}
    </svg>
  );
}

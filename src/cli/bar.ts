/** A progress bar on a terminal, redrawn in place at most ten times a second; silent anywhere else. */

export interface BarStream {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

export interface Bar {
  /** Shows `done` of `total` with a word on what runs. */
  update(done: number, total: number, label: string): void;
  /** Wipes the bar, so that a message can be written in its place. */
  clear(): void;
}

/** One line of at most `columns` characters: `label [####----] 3/8`. */
export function barLine(done: number, total: number, label: string, columns: number): string {
  const share = total > 0 ? Math.min(1, Math.max(0, done / total)) : 0;
  const tail = ` ${done}/${total}`;
  const cells = Math.max(0, Math.min(30, columns - label.length - tail.length - 4));
  const full = Math.round(share * cells);
  const line = `${label} [${"#".repeat(full)}${"-".repeat(cells - full)}]${tail}`;
  return line.slice(0, Math.max(0, columns - 1));
}

/** Makes a bar on `stream`. */
export function createBar(stream: BarStream, now: () => number = () => performance.now()): Bar {
  let drawnAt = Number.NEGATIVE_INFINITY;
  let drawn = false;
  return {
    update(done, total, label) {
      if (!stream.isTTY || (done < total && now() - drawnAt < 100)) return;
      drawnAt = now();
      drawn = true;
      stream.write(`\r\x1b[2K${barLine(done, total, label, stream.columns ?? 80)}`);
    },
    clear() {
      if (drawn) stream.write("\r\x1b[2K");
      drawn = false;
    },
  };
}

/** Sentence and table of the span that is in view. */
import { type Bottleneck, bottleneckOf } from "./bottleneck.ts";
import type { TimelineController } from "./controller.ts";
import { known, sharesOf, type TrackShare } from "./shares.ts";
import { length, MINUTE } from "./viewport.ts";

export interface Summary {
  bottleneck: Bottleneck;
  shares: TrackShare[];
  /** Milliseconds that the shares are of, and the span in words. */
  span: number;
  words: string;
}

/** @param growing whether more will come: while the newest is followed, the sentence is about the last minute */
export function summarize({ index, view, follow, whole }: TimelineController, growing: boolean): Summary {
  const lately = growing && follow.value;
  const wanted = lately ? { from: whole.to - MINUTE, to: whole.to } : view.value;
  const span = known(index, wanted);
  const time = span.to - span.from;
  const all = time >= (whole.to - whole.from) * 0.999;
  const words = all
    ? growing
      ? "the run so far"
      : "the run"
    : lately
      ? "the last minute"
      : `the ${length(time)} in view`;
  const shares = sharesOf(index, span);
  return { bottleneck: bottleneckOf(shares, time, words), shares, span: time, words };
}

/**
 * Events on their way to the page's thread: gathered for a moment and sent as one list, with large steps cut into several
 * messages, because the page's thread must not be held up by reading one.
 */
import type { RolloutRow } from "../state/records.ts";
import type { SessionEvent } from "./api.ts";

/** Two redraws of a screen. */
const GATHER_MS = 33;
/** Completion tokens in one message: some 100,000 values, which take a page's thread about 10 ms to read. */
const TOKENS_PER_MESSAGE = 20_000;
const EVENTS_PER_MESSAGE = 2000;

/** Cuts completions into parts that are quickly read; at least one part, perhaps an empty one. */
export function cutRollouts(rollouts: readonly RolloutRow[]): RolloutRow[][] {
  const parts: RolloutRow[][] = [[]];
  let tokens = 0;
  for (const rollout of rollouts) {
    if (tokens + rollout.tokens > TOKENS_PER_MESSAGE && tokens > 0) {
      parts.push([]);
      tokens = 0;
    }
    parts[parts.length - 1].push(rollout);
    tokens += rollout.tokens;
  }
  return parts;
}

/** Cuts any list into parts of at most `size`. */
export function cutList<T>(list: readonly T[], size = EVENTS_PER_MESSAGE): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, k) =>
    list.slice(k * size, (k + 1) * size),
  );
}

export class EventSender {
  private readonly post: (events: SessionEvent[]) => void;
  private waiting: SessionEvent[] = [];
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(post: (events: SessionEvent[]) => void) {
    this.post = post;
  }

  send(event: SessionEvent): void {
    if (event.kind === "step") {
      const [first, ...rest] = cutRollouts(event.rollouts);
      this.alone({ ...event, rollouts: first });
      for (const rollouts of rest) this.alone({ kind: "rollouts", rollouts });
    } else if (event.kind === "trace") {
      for (const events of cutList(event.events)) this.alone({ kind: "trace", events });
    } else {
      // Of two pulses that nobody has seen the newer one will do.
      if (event.kind === "pulse") this.waiting = this.waiting.filter(({ kind }) => kind !== "pulse");
      this.waiting.push(event);
      this.timer ??= setTimeout(() => this.flush(), GATHER_MS);
    }
  }

  /** Sends at once what waits. */
  flush(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    if (this.waiting.length === 0) return;
    this.post(this.waiting);
    this.waiting = [];
  }

  private alone(event: SessionEvent): void {
    this.flush();
    this.post([event]);
  }
}

/**
 * A hand on a running loop: pause, single steps, and the few settings that may be turned while it runs. The front end
 * holds it; the run asks it before every step.
 */

import { describeBounds, findField } from "./config/describe.ts";
import { ConfigError } from "./errors.ts";

/** Settings that may be turned while a run goes on; absent ones stay as they are. */
export interface Knobs {
  temperature?: number;
  epsilonHigh?: number;
  learningRate?: number;
}

const SETTINGS: Readonly<Record<keyof Knobs, string>> = {
  temperature: "generator.temperature",
  epsilonHigh: "trainer.epsilonHigh",
  learningRate: "trainer.learningRate",
};

export class RunControl {
  /** Steps that may still begin. */
  private allowed = Number.POSITIVE_INFINITY;
  private turned: Knobs = {};
  private readonly waiting = new Set<() => void>();
  private readonly onChange: (resting: boolean) => void;

  /** @param onChange told when the run comes to rest before a step, and when it goes on */
  constructor(onChange: (resting: boolean) => void = () => undefined) {
    this.onChange = onChange;
  }

  /** The step that has begun is finished; no other begins. */
  pause(): void {
    this.allowed = 0;
  }

  resume(): void {
    this.allowed = Number.POSITIVE_INFINITY;
    this.wake();
  }

  /** Lets `count` steps begin and then pauses. */
  step(count = 1): void {
    this.allowed = (this.paused ? this.allowed : 0) + count;
    this.wake();
  }

  /** True where a number of steps is left, also none. */
  get paused(): boolean {
    return this.allowed !== Number.POSITIVE_INFINITY;
  }

  /** Takes effect before the next step. @throws ConfigError `config/unknown-key`; `config/out-of-range` for what a recipe may not say either */
  turn(knobs: Knobs): void {
    for (const [name, value] of Object.entries(knobs)) {
      if (Object.hasOwn(SETTINGS, name)) checkKnob(SETTINGS[name as keyof Knobs], value);
      else throw noKnob(name);
    }
    Object.assign(this.turned, knobs);
  }

  /** What was turned since the last call, or null. */
  takeTurned(): Knobs | null {
    const turned = this.turned;
    this.turned = {};
    return Object.keys(turned).length > 0 ? turned : null;
  }

  /** Waits until the next step may begin, or until the run is to stop. */
  async permit(signal?: AbortSignal): Promise<void> {
    if (this.allowed <= 0 && !signal?.aborted) {
      this.onChange(true);
      const wake = () => this.wake();
      signal?.addEventListener("abort", wake, { once: true });
      while (this.allowed <= 0 && !signal?.aborted) await new Promise<void>((go) => this.waiting.add(go));
      signal?.removeEventListener("abort", wake);
      this.onChange(false);
    }
    this.allowed--;
  }

  private wake(): void {
    for (const go of this.waiting) go();
    this.waiting.clear();
  }
}

function noKnob(name: string): ConfigError {
  return new ConfigError("config/unknown-key", `Cannot turn \`${name}\` while a run goes on`, {
    hint: `Nothing was turned: there are ${Object.keys(SETTINGS).join(", ")}`,
  });
}

function checkKnob(path: string, value: number): void {
  const field = findField(path);
  const { min = -Infinity, max = Infinity } = field ?? {};
  if (value >= min && value <= max) return;
  throw new ConfigError(
    "config/out-of-range",
    `Cannot turn \`${path}\` to ${value}: it takes ${field ? describeBounds(field) : "a number"}`,
    { hint: "Nothing was turned: choose a value within the bounds" },
  );
}

/**
 * What procedural tasks share: numbered training problems and held-out problems that cannot meet. Which side a problem
 * is on is decided by the checksum of its canonical key alone, so no seed, option, order or language can move it.
 */
import { ConfigError } from "../errors.ts";
import { type Random, randomStream } from "../random.ts";
import type { Problem } from "../rollout.ts";
import type { Language, Task } from "./api.ts";
import { crc32 } from "./crc32.ts";

/** A problem before it is worded. */
export interface Drawn<T> {
  /** Canonical form: problems that share an answer by mere rearrangement or translation share a key. */
  key: string;
  content: T;
}

/** One procedural task, told in terms of single draws. */
export interface ProblemSource<T> {
  name: string;
  options: Readonly<Record<string, unknown>>;
  rewards: readonly string[];
  languages: readonly Language[];
  /** Draws a problem; `held` draws ignore options that merely tilt training. */
  draw(random: Random, held: boolean): Drawn<T>;
  /** Words a problem; what `id` must tell apart beyond task and language is `text`. */
  word(content: T, language: Language): WordedProblem;
}

export interface WordedProblem {
  text: string;
  prompt: string;
  answer: string | null;
  columns: Record<string, unknown>;
}

const HELD_OUT_IN = 5;
const TRAINING_ATTEMPTS = 2000;
/** Draws in a row without a new held-out problem after which there is held to be none left. */
const BARREN_DRAWS = 20_000;

/** Tells whether a canonical key belongs to evaluation: one in five does. */
export function isHeldOut(key: string): boolean {
  return crc32(key) % HELD_OUT_IN === 0;
}

/** Makes the numbered and the held-out problems of a source. */
export function proceduralProblems<T>(
  source: ProblemSource<T>,
  seed: number,
): Pick<Task, "sample" | "heldOut"> {
  const tag = crc32(source.name);
  const finish = (drawn: Drawn<T>, random: Random): Problem => {
    const language = random.pick(source.languages);
    const { text, prompt, answer, columns } = source.word(drawn.content, language);
    const id = `${source.name}/${language}/${text}`;
    return { id, taskId: source.name, prompt, answer, columns: { language, ...columns } };
  };
  return {
    sample(index) {
      for (let attempt = 0; attempt < TRAINING_ATTEMPTS; attempt++) {
        const random = randomStream(seed, tag, 0, index, attempt);
        const drawn = source.draw(random, false);
        if (!isHeldOut(drawn.key)) return finish(drawn, random);
      }
      throw new ConfigError("config/too-few-problems", `Cannot draw a training problem of ${source.name}`, {
        hint: "Widen the task's options: all problems they allow are held out for evaluation.",
      });
    },
    heldOut(count, heldOutSeed = 0) {
      const found: Problem[] = [];
      const seen = new Set<string>();
      let barren = 0;
      for (let draw = 0; found.length < count; draw++) {
        const random = randomStream(heldOutSeed, tag, 1, draw);
        const drawn = source.draw(random, true);
        if (isHeldOut(drawn.key) && !seen.has(drawn.key)) {
          seen.add(drawn.key);
          found.push(finish(drawn, random));
          barren = 0;
        } else if (++barren >= BARREN_DRAWS) {
          const attempt = `Cannot hold out ${count} problems of ${source.name}: its options allow ${found.length}`;
          throw new ConfigError("config/too-few-problems", attempt, {
            hint: `Evaluate on at most ${found.length} problems, or widen the task's options.`,
          });
        }
      }
      return found;
    },
  };
}

/** One problem with its answers, chosen of a step to be shown to people who have never seen a training run. */
import type { RolloutRow, SampleCompletion } from "../state/records.ts";

/** A completion taken apart: what was thought, what was answered. */
export interface ReadCompletion {
  /** Between the think tags; null where there are none. */
  thought: string | null;
  answer: string;
}

export interface Example {
  /** The words before the question, such as an instruction; may be empty. */
  lead: string;
  question: string;
  thought: string | null;
  answer: string;
  right: boolean | null;
  reward: number | null;
  /** The right answer, if it is known and another one was given. */
  expected: string | null;
  /** All of the group, in the order they were sampled; `shown` is the one above. */
  group: { right: boolean | null; shown: boolean }[];
}

/** End-of-sequence and its kin, as the usual tokenisers write them. */
const SPECIAL = /<(?:eos|bos|pad|\/s|s|end_of_text)>|<\|[^|<>]*\|>/g;

export function readCompletion(text: string): ReadCompletion {
  const plain = text.replace(SPECIAL, "").trim();
  const [, thought, rest] = /^<think>([\s\S]*?)<\/think>([\s\S]*)$/.exec(plain) ?? [null, null, plain];
  const boxed = /\\boxed\{([^{}]*)\}/.exec(rest ?? "");
  return { thought: thought?.trim() ?? null, answer: (boxed ? boxed[1] : (rest ?? "")).trim() };
}

/** An instruction and its question: the part after the last colon, where it is short. */
export function splitPrompt(prompt: RolloutRow["prompt"]): { lead: string; question: string } {
  const text = typeof prompt === "string" ? prompt : (prompt.at(-1)?.content ?? "");
  const at = text.lastIndexOf(": ");
  const question = text.slice(at + 2).trim();
  return at > 0 && question.length > 0 && question.length <= 40
    ? { lead: text.slice(0, at).trim(), question }
    : { lead: "", question: text.trim() };
}

const isRight = ({ correct, reward }: { correct: number | null; reward: number | null }) =>
  correct === null ? (reward === null ? null : reward > 0.5) : correct > 0.5;

const promptLength = ({ prompt }: RolloutRow) =>
  typeof prompt === "string" ? prompt.length : prompt.reduce((sum, { content }) => sum + content.length, 0);

/** Of a step's rollouts: the group with the longest problem, and of its completions the middle one by reward. */
export function exampleOf(rollouts: readonly RolloutRow[]): Example | null {
  if (rollouts.length === 0) return null;
  const longest = rollouts.reduce((best, row) => (promptLength(row) > promptLength(best) ? row : best));
  const group = rollouts.filter((row) => row.group === longest.group);
  const byReward = [...group].sort((a, b) => (a.reward ?? 0) - (b.reward ?? 0));
  const typical = byReward[Math.floor((group.length - 1) / 2)];
  const { thought, answer: written } = readCompletion(typical.completion);
  const answer = typical.verdicts.find(({ extracted }) => extracted !== undefined)?.extracted ?? written;
  return {
    ...splitPrompt(typical.prompt),
    thought,
    answer,
    right: isRight(typical),
    reward: typical.reward,
    expected: typical.answer === answer ? null : typical.answer,
    group: group.map((row) => ({ right: isRight(row), shown: row.id === typical.id })),
  };
}

/** Before the first step: the answer to a held-out problem, a wrong one if there is one. */
export function exampleOfSamples(samples: readonly SampleCompletion[]): Example | null {
  if (samples.length === 0) return null;
  // Where not even the form was right, the answer may be.
  const wrong = samples.filter((sample) => isRight(sample) === false && sample.reward !== 0);
  const sample = (wrong.length > 0 ? wrong : samples).reduce((best, other) =>
    other.prompt.length > best.prompt.length ? other : best,
  );
  return {
    ...splitPrompt(sample.prompt),
    ...readCompletion(sample.completion),
    right: isRight(sample),
    reward: sample.reward,
    expected: null,
    group: [],
  };
}

export interface BeforeAndAfter {
  lead: string;
  question: string;
  before: ReadCompletion & { right: boolean | null };
  after: ReadCompletion & { right: boolean | null };
}

/** A held-out problem that was answered wrongly before and rightly after; the longest such answer, or null. */
export function beforeAndAfter(
  before: readonly SampleCompletion[],
  after: readonly SampleCompletion[],
): BeforeAndAfter | null {
  const pairs = before.flatMap((old) => {
    const now = after.find(({ prompt }) => prompt === old.prompt);
    if (!now || isRight(old) !== false || isRight(now) !== true) return [];
    // Only the form was wrong: that tells nothing to who looks at the answer.
    const sameAnswer = readCompletion(old.completion).answer === readCompletion(now.completion).answer;
    return sameAnswer ? [] : [{ old, now }];
  });
  if (pairs.length === 0) return null;
  const { old, now } = pairs.reduce((best, pair) =>
    pair.now.completion.length > best.now.completion.length ? pair : best,
  );
  return {
    ...splitPrompt(old.prompt),
    before: { ...readCompletion(old.completion), right: isRight(old) },
    after: { ...readCompletion(now.completion), right: isRight(now) },
  };
}

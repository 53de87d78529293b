/**
 * From what somebody types to what the policy reads. Chain sums may be typed bare, `3+8-2`: the fixed wording, which is
 * one token of the policies made for them, is put in front. Everything else is asked as it stands.
 */
import type { Message, Problem } from "../../../rollout.ts";
import { LANGUAGES, type Language, type Task } from "../../../tasks/api.ts";
import { CHAIN_SUM_WORDING } from "../../../tasks/chain_sum.ts";
import { outOfScope } from "../../../tasks/scope.ts";
import type { ChatPrompt } from "./api.ts";

/** A question ready to be asked. */
export interface Question {
  prompt: ChatPrompt;
  /** The same without a fixed wording: what the field and the history show. */
  shown: string;
  /** With the right answer, where it is known. */
  problem: Problem | null;
  /** What to expect of the answer, where the policy was not made for such a question. */
  caution: string | null;
}

const SUM = /^\s*(-?\d+)((?:\s*[+\-−]\s*-?\d+)+)\s*=?\s*$/;
const LONGEST_NUMBER = 9;

interface Sum {
  /** `3 + 8 - 2` */
  expression: string;
  /** Null where numbers are too long to be added exactly. */
  answer: string | null;
}

/** Reads a bare sum, however it is spaced; null for anything else. */
export function readSum(text: string): Sum | null {
  const found = SUM.exec(text);
  if (found === null) return null;
  const parts = [...found[2].matchAll(/\s*([+\-−])\s*(-?\d+)/g)];
  const terms = [found[1], ...parts.map(([, , term]) => term)];
  const signs = parts.map(([, sign]) => (sign === "+" ? "+" : "-"));
  const expression = terms.map((term, i) => (i === 0 ? term : ` ${signs[i - 1]} ${term}`)).join("");
  if (terms.some((term) => term.length > LONGEST_NUMBER)) return { expression, answer: null };
  const total = terms.map(Number).reduce((sum, term, i) => (signs[i - 1] === "-" ? sum - term : sum + term));
  return { expression, answer: `${total}` };
}

/** Takes a fixed wording off; the rest and the wording's language, or the whole text and null. */
export function withoutWording(text: string): { text: string; language: Language | null } {
  const language = LANGUAGES.find((each) => text.startsWith(`${CHAIN_SUM_WORDING[each]} `));
  if (language === undefined) return { text, language: null };
  return { text: text.slice(CHAIN_SUM_WORDING[language].length + 1), language };
}

const isChainSum = ({ name }: Task) => name === "chain_sum";

/** The languages a bare sum can be worded in, for these tasks. */
export function wordingLanguages(tasks: readonly Task[]): readonly Language[] {
  return tasks.find(isChainSum)?.languages ?? [];
}

/**
 * Words a question; null where nothing is typed. `drawn` is the problem last drawn from a task: its answer is known as
 * long as its text stands unchanged.
 */
export function wordQuestion(
  typed: string,
  language: Language,
  tasks: readonly Task[],
  drawn: Problem | null,
  conversational: boolean,
): Question | null {
  if (typed.trim() === "") return null;
  const bare = withoutWording(typed);
  const sum = tasks.some(isChainSum) ? readSum(bare.text) : null;
  if (sum === null) {
    const problem = drawn !== null && drawn.prompt === typed ? drawn : null;
    // Only free text goes into a chat template: a task's problems are asked as in training.
    const message: Message = { role: "user", content: typed };
    const prompt = conversational && problem === null && tasks.length === 0 ? [message] : typed;
    return { prompt, shown: typed, problem, caution: cautionFor(tasks, prompt) };
  }
  const { expression, answer } = sum;
  const spoken = bare.language ?? language;
  const prompt = `${CHAIN_SUM_WORDING[spoken]} ${expression} =`;
  const problem: Problem = {
    id: `chain_sum/${spoken}/${expression}`,
    taskId: "chain_sum",
    prompt,
    answer,
    columns: { language: spoken, expression },
  };
  return { prompt, shown: `${expression} =`, problem, caution: cautionFor(tasks, prompt) };
}

function cautionFor(tasks: readonly Task[], prompt: ChatPrompt): string | null {
  const asked: Problem = { id: "", taskId: "", prompt, answer: null, columns: {} };
  if (outOfScope({ tasks, rewards: [] }, asked) === null) return null;
  return `This policy was made for ${tasks.map(describeTask).join(" and ")}: it can be asked, but do not expect sense.`;
}

const spanOf = (low: unknown, high: unknown) => (low === high ? `${low}` : `${low} to ${high}`);

/** What a task asks, in words: `sums of 2 to 3 numbers of 1 digit`. */
export function describeTask({ name, options }: Pick<Task, "name" | "options">): string {
  if (name !== "chain_sum") return `the task “${name.replaceAll("_", " ")}”`;
  const { minTerms, maxTerms, minDigits, maxDigits } = options;
  const digits = spanOf(minDigits, maxDigits);
  return `sums of ${spanOf(minTerms, maxTerms)} numbers of ${digits} digit${digits === "1" ? "" : "s"}`;
}

/**
 * The next run's recipe as it is being written: the text in the editor, the draft it stands for, and why it cannot be run.
 * Light, because the frame of the page imports it: the check itself is fetched when there is something to check.
 */
import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import { formatRecipe } from "../../../config/json_text.ts";
import { readRecipeText } from "../../../config/recipe_text.ts";
import { ConfigError } from "../../../errors.ts";
import { draftRecipe } from "../../state/app.ts";

type Layer = Record<string, unknown>;

/** What keeps a recipe from running, in the words of the config's own errors. */
export interface Problem {
  code: string;
  message: string;
  hint?: string;
  /** Dotted paths of the settings it is about. */
  paths: string[];
}

/** What the editor shows. Written by `typeText` and `writeDraft`. */
export const draftText = signal(formatRecipe(draftRecipe.peek()));

function readText(text: string): { draft: Layer | null; problem: Problem | null } {
  try {
    return { draft: readRecipeText(text), problem: null };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return {
      draft: null,
      problem: { code: error.code, message: error.message, hint: error.hint, paths: [] },
    };
  }
}

/** Why the text is no recipe at all; the draft stays what it was last. */
export const textProblem: ReadonlySignal<Problem | null> = computed(() => readText(draftText.value).problem);

/** What the check found last; written by `checking.ts`. */
export const foundProblems = signal<readonly Problem[]>([]);

/** What stands half-typed in fields of the form, by path: it is in no draft yet, and must not be lost by a start. */
export const typingProblems = signal<ReadonlyMap<string, Problem>>(new Map());

/** Notes what is wrong with the text of one field, or that nothing is any more. */
export function noteTyping(path: string, problem: Problem | null): void {
  if (problem === null && !typingProblems.peek().has(path)) return;
  const next = new Map(typingProblems.peek());
  if (problem === null) next.delete(path);
  else next.set(path, problem);
  typingProblems.value = next;
}

/** One sentence that says why the next run cannot start, or null where it can. */
export const draftProblem: ReadonlySignal<string | null> = computed(() => {
  const [typing] = typingProblems.value.values();
  const problem = textProblem.value ?? typing ?? foundProblems.value[0];
  if (!problem) return null;
  return problem.hint === undefined ? problem.message : `${problem.message}. To mend it: ${problem.hint}`;
});

/** The draft that the text stands for now, so that a change from elsewhere can be told from one's own. */
let written: Layer = draftRecipe.peek();
/** The text as it was last in order. */
let readable = draftText.peek();

effect(() => {
  const draft = draftRecipe.value;
  if (draft === written) return;
  written = draft;
  readable = formatRecipe(draft);
  draftText.value = readable;
});

/** Takes what was typed: the text stays as it is, and the draft follows where it is a JSON object. */
export function typeText(text: string): void {
  draftText.value = text;
  const { draft } = readText(text);
  if (draft === null) return;
  readable = text;
  written = draft;
  draftRecipe.value = draft;
}

/** Takes the editor back to the last text that could be read. */
export function takeBackText(): void {
  draftText.value = readable;
}

/** Takes a draft from the form: the text is written anew. */
export function writeDraft(draft: Layer): void {
  draftRecipe.value = draft;
}

/** Whether a draft is certain to be in order without a look: the standard recipe and no more. */
const isStandard = (draft: Layer) => Object.keys(draft).length === 1 && draft.extends === "default";

/** Has the draft checked whenever it changes, and fetches the check when it is first needed. Returns what ends it. */
export function watchDraft(): () => void {
  let asked = false;
  return effect(() => {
    if (asked || isStandard(draftRecipe.value)) return;
    asked = true;
    import("./checking.ts").then(
      ({ startChecking }) => startChecking(),
      () => {
        asked = false; // Offline: the next change asks again, and the session checks in any case.
      },
    );
  });
}

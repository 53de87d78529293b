/** Keeps the check of the draft up with the draft, a moment behind the keys. Fetched when there is something to check. */
import { effect, signal } from "@preact/signals";
import { draftRecipe } from "../../state/app.ts";
import { type Checked, checkDraft } from "./check.ts";
import { foundProblems } from "./draft.ts";
import { loadRecipe } from "./recipes.ts";

const PAUSE_MS = 150;

/** The newest check; null before the first is done. Its `draft` tells which draft it is of. */
export const checked = signal<Checked | null>(null);

let started = false;

/** Begins to check, once. */
export function startChecking(): void {
  if (started) return;
  started = true;
  let timer: ReturnType<typeof setTimeout> | undefined;
  effect(() => {
    const draft = draftRecipe.value;
    clearTimeout(timer);
    timer = setTimeout(
      async () => {
        const found = await checkDraft(draft, loadRecipe, document.baseURI);
        if (draftRecipe.peek() !== draft) return; // Another was written meanwhile, and its own check is on its way.
        checked.value = found;
        foundProblems.value = found.problems;
      },
      checked.peek() === null ? 0 : PAUSE_MS,
    );
  });
}

/** Opens the run that the page's address names, at the start and whenever another link is pasted over it. */
import { effect, untracked } from "@preact/signals";
import { feed } from "../state/app.ts";
import { wantedRun } from "../state/url.ts";
import { ask } from "./session.ts";

/** Until the returned function is called. */
export function openLinkedRuns(): () => void {
  return effect(() => {
    const wanted = wantedRun.value;
    if (wanted === null) return;
    untracked(() => {
      const { kind, name } = feed.value;
      if (kind === "recorded" || name !== wanted) ask((client) => client.openStored(wanted));
    });
  });
}

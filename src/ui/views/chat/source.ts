/** Which policies a run in view has to talk to, and what to say where the newest is missing. */
import type { RunFeed } from "../../state/run_feed.ts";
import type { ChatSource, PolicyNote, Which } from "./api.ts";

/** A recording from before recipes named their model was made with this one. */
const USUAL_MODEL = "builtin:chain-sum";

type Seen = Pick<RunFeed, "kind" | "name" | "recipe"> & Partial<Pick<RunFeed, "policy">>;

/** Where the policies of a run come from, for a page at `base`. */
export function sourceOf(
  { kind, name, recipe, policy = null }: Seen,
  base: string,
  dropped: ChatSource["dropped"] = {},
): ChatSource {
  const { model, verifier } = recipe;
  const named = typeof model === "string" && model !== "" ? model : USUAL_MODEL;
  return {
    base,
    model: named,
    // Adapters may belong to a model that was dropped, wherever they come from themselves.
    ...(!named.startsWith("builtin:") && { dropped }),
    run: kind === "recorded" ? null : name,
    ...(policy && { recorded: { address: policy.folder, step: policy.step, version: policy.version } }),
    verifier: typeof verifier === "object" && verifier !== null ? (verifier as Record<string, unknown>) : {},
  };
}

/** What answers in a column, in words. */
export function whenceOf(
  which: Which,
  { kind, recipe, policy = null }: Pick<RunFeed, "kind" | "recipe"> & Partial<Pick<RunFeed, "policy">>,
  { step }: Pick<PolicyNote, "step">,
): string {
  if (which === "first") return "as it was before the first step";
  if (kind !== "recorded" || policy === null) return `as saved after step ${step}`;
  const ofRun =
    step === recipe.steps ? "the recorded run's final policy" : "the recorded run's last saved policy";
  const rounded = policy.dtype === "F32" ? "" : `, weights rounded to ${policy.dtype.toLowerCase()}`;
  return `${ofRun}, step ${step}${rounded}`;
}

export interface Absence {
  text: string;
  /** What helps: to train here, to look at the run that trains already, or to wait. */
  offer: "train" | "show" | null;
}

const savesEvery = ({ recipe }: Pick<RunFeed, "recipe">): number => {
  const { every } = (recipe.checkpoint ?? {}) as { every?: unknown };
  return typeof every === "number" ? every : 0;
};

/** Why a run's newest policy may be missing. */
export function absenceOf(run: Pick<RunFeed, "kind" | "recipe">, live: unknown): Absence {
  if (run.kind === "recorded") {
    const text =
      "This run is a recording: what it learned was written down, its final policy is not on this page.";
    if (live !== null && live !== run) return { text: `${text} Another run trains here.`, offer: "show" };
    return { text: `${text} Train it here, and the policy you get answers in this place.`, offer: "train" };
  }
  if (run.kind === "stored") {
    return {
      text: "This run was stored without a checkpoint, so there is no policy to ask.",
      offer: "train",
    };
  }
  const every = savesEvery(run);
  const when = every > 0 ? `after step ${every}` : "when it ends";
  return { text: `The run has saved no policy yet: the first comes ${when}, and answers here.`, offer: null };
}

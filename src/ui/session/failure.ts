/** Failures as a page tells them: the errors' hints name commands of the terminal, which nobody can type here. */
import { WebgrpoError } from "../../errors.ts";
import { decodeError, type ErrorRecord, encodeError } from "../../rpc/errors.ts";
import type { Failure } from "../state/run_feed.ts";

const GO_ON = "Go on with the stored run";
const SMALLER = "Choose a smaller model, or lower `trainer.microBatchTokens` and `generator.concurrency`";

/** Hints by code, or by what a code begins with. */
const HINTS: Record<string, string> = {
  "gpu/no-webgpu": "Open the page in a current Chrome or Edge",
  "gpu/no-adapter": "Update the graphics driver and restart the browser",
  "gpu/no-device": "Close other pages that use the GPU, or restart the browser",
  "gpu/lost": `Close other pages and programs that use the GPU. ${GO_ON}`,
  "gpu/block-too-large": `${SMALLER}, or use a browser that grants larger bindings`,
  "gpu/buffer-too-large": `${SMALLER}, or use a browser that grants larger bindings`,
  "gpu/self-test": "Update the graphics driver, or try another browser: this GPU gives wrong numbers",
  "trainer/died-twice": `${GO_ON}; if it happens again, lower \`trainer.microBatchTokens\``,
  "generator/died-twice": `${GO_ON}; if it happens again, lower \`generator.concurrency\``,
  "worker/": `${GO_ON}; if it happens again, lower \`generator.concurrency\` and \`trainer.microBatchTokens\``,
  "session/died": `${GO_ON}; if it happens again, lower \`generator.concurrency\` and \`trainer.microBatchTokens\``,
  "runs/no-moments": "Start a new run from its weights: download the checkpoint and upload it as a model",
  "runs/disk-full":
    "Remove downloaded models or stored runs, or free space on the disk, and go on: what is stored stays",
  "runs/exists": "Start again: the run gets another name",
  "runs/not-a-run": "Remove it from the list",
  "runs/bad-row":
    "Download its checkpoint from the list of runs, which can be trained on as a model, and remove it",
};

/** Hints where the error's own is for the terminal, and for it alone. */
const INSTEAD: Record<string, string> = {
  "config/missing":
    "Choose one under `model` in the settings: `builtin:chain-sum`, a model of the hub as owner/name, or a folder that you drop onto the page",
  "hub/gated":
    "Accept the model's terms on its page on the hub, then give a token of your account in the field below",
};

/** What mentions a shell's commands, flags or folders. */
const OF_THE_TERMINAL = /npm run|HF_TOKEN|(^|[\s`])--[a-z]|\bapt-get\b/;

/** The hint to show for an error's code: the page's own, or the error's where it holds in a page too. */
export function pageHint(code: string | undefined, hint: string | undefined): string | undefined {
  const own = Object.keys(HINTS).find((key) => code === key || (key.endsWith("/") && code?.startsWith(key)));
  if (own !== undefined) return HINTS[own];
  return hint !== undefined && OF_THE_TERMINAL.test(hint) ? INSTEAD[code ?? ""] : hint;
}

/** The same error with the hint that holds in a page. */
export function forPage(error: unknown): unknown {
  if (!(error instanceof WebgrpoError)) return error;
  const hint = pageHint(error.code, error.hint);
  return hint === error.hint ? error : decodeError({ ...encodeError(error), hint });
}

/** Weights that give no numbers fail again in every worker that takes them: more memory would not help. */
function brokenWeights(error: ErrorRecord, saved: number | null): string | undefined {
  if (![error.code, error.cause?.code].includes("generator/not-finite")) return undefined;
  return saved === null
    ? "The model's weights are damaged: choose another model"
    : "The weights have diverged. Go on and turn the learning rate down at once, or train anew with a lower one";
}

/** @param saved the step up to which the run is stored, or null */
export function toFailure(error: ErrorRecord, saved: number | null): Failure {
  const found = brokenWeights(error, saved) ?? pageHint(error.code, error.hint);
  // There is nothing to go on with before the first checkpoint.
  const hint = saved === null ? found?.replace(GO_ON, "Start again") : found;
  const kept = saved === null ? "" : `Everything up to step ${saved} is stored`;
  const shown = [hint, kept].flatMap((text) => (text ? [text.replace(/\.$/, "")] : [])).join(". ");
  return { code: error.code ?? "failed", message: error.message, ...(shown && { hint: shown }) };
}

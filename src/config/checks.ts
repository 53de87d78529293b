/** Contradictions between recipe fields, found after each field is in bounds; every refusal names its fix. */
import { ConfigError } from "../errors.ts";
import { ADAPTER_MODULES } from "../model/adapters/config.ts";
import type { ParsedRecipe, Recipe } from "./schema.ts";

const refuse = (message: string, hint: string) => {
  throw new ConfigError("config/contradiction", message, { hint });
};

function checkBatch({ trainer, steps }: Recipe): void {
  const { batchSize, groupSize, minibatches, warmupSteps } = trainer;
  if (batchSize % groupSize !== 0) {
    const fit = Math.max(groupSize, Math.round(batchSize / groupSize) * groupSize);
    refuse(
      `Cannot form batches of \`trainer.batchSize\` = ${batchSize} from groups of \`trainer.groupSize\` = ${groupSize}: a batch holds whole groups`,
      `set \`trainer.batchSize\` to ${fit}`,
    );
  }
  const groups = batchSize / groupSize;
  if (groups % minibatches !== 0) {
    let fit = Math.min(minibatches, groups);
    while (groups % fit !== 0) fit--;
    refuse(
      `Cannot split a batch of ${groups} groups into \`trainer.minibatches\` = ${minibatches} equal parts: groups are never split`,
      `set \`trainer.minibatches\` to ${fit}`,
    );
  }
  if (warmupSteps > steps) {
    refuse(
      `Cannot warm up over \`trainer.warmupSteps\` = ${warmupSteps} of only \`steps\` = ${steps}`,
      `set \`trainer.warmupSteps\` to ${steps} or less`,
    );
  }
}

function checkLoss({ trainer, generator }: Recipe): void {
  const { loss, klBeta, truncatedImportance, oldLogprobs } = trainer;
  if (klBeta > 0 && loss === "magistral") {
    refuse(
      `Cannot add a KL term (\`trainer.klBeta\` = ${klBeta}) to the loss \`magistral\`, which has none`,
      "set `trainer.klBeta` to 0, or `trainer.loss` to grpo or dapo",
    );
  }
  if (truncatedImportance.enabled && oldLogprobs === "rollout") {
    refuse(
      "Cannot weight by the ratio of recomputed to recorded probabilities: `trainer.oldLogprobs` is `rollout`, so nothing is recomputed",
      "set `trainer.oldLogprobs` to `recompute`, or `trainer.truncatedImportance.enabled` to false",
    );
  }
  const filters = [
    generator.topK > 0 ? "generator.topK" : "",
    generator.topP < 1 ? "generator.topP" : "",
    generator.minP > 0 ? "generator.minP" : "",
  ].filter((name) => name !== "");
  if (filters.length > 0 && !truncatedImportance.enabled) {
    refuse(
      `Cannot train on completions filtered by \`${filters.join("`, `")}\`: the recorded probabilities are of the filtered distribution, the trainer's are not, so their ratio is biased`,
      "set topK 0, topP 1 and minP 0, or correct for it with `trainer.oldLogprobs` = recompute and `trainer.truncatedImportance.enabled` = true",
    );
  }
}

function checkLora({ trainer: { lora, frozenDtype } }: Recipe): void {
  const unknown = lora.targets.find((name) => !(ADAPTER_MODULES as readonly string[]).includes(name));
  if (unknown !== undefined) {
    refuse(
      `Cannot give adapters to \`${unknown}\` (\`trainer.lora.targets\`): decoders have no linear layer of that name`,
      `name some of ${ADAPTER_MODULES.join(", ")}`,
    );
  }
  if (lora.rank > 0 && lora.targets.length === 0) {
    refuse(
      "Cannot train adapters without a layer to put them at: `trainer.lora.targets` is empty",
      "leave `trainer.lora.targets` out for all linear layers",
    );
  }
  if (lora.rank === 0 && frozenDtype !== "f32") {
    refuse(
      `Cannot keep a model in \`trainer.frozenDtype\` = ${frozenDtype} while every parameter of it is trained`,
      "set `trainer.lora.rank` to 8 or so, or `trainer.frozenDtype` to f32",
    );
  }
}

function checkRewards({ verifier }: Recipe): void {
  const { rewards, weights, lengthMax, lengthCache } = verifier;
  if (rewards.length === 0) {
    refuse(
      "Cannot train without a reward: `verifier.rewards` is empty",
      'set `verifier.rewards` to ["magistral"]',
    );
  }
  const twice = rewards.find((name, i) => rewards.indexOf(name) !== i);
  if (twice !== undefined) {
    refuse(
      `Cannot give the reward \`${twice}\` twice in \`verifier.rewards\``,
      "name it once and raise its entry in `verifier.weights`",
    );
  }
  if (weights.length !== rewards.length) {
    refuse(
      `Cannot weight ${rewards.length} reward(s) with ${weights.length} weight(s): \`verifier.weights\` needs one for each of \`verifier.rewards\``,
      "give as many weights as rewards, or leave `verifier.weights` out for 1 each",
    );
  }
  if (lengthCache > lengthMax) {
    refuse(
      `Cannot start the length penalty ${lengthCache} tokens (\`verifier.lengthCache\`) before \`verifier.lengthMax\` = ${lengthMax}`,
      `set \`verifier.lengthCache\` to ${lengthMax} or less`,
    );
  }
}

/**
 * Refuses a recipe whose fields contradict each other.
 * @throws ConfigError `config/contradiction` with the fix as its hint, `config/missing` without a model
 */
export function checkContradictions(recipe: Recipe): void {
  if (recipe.model.trim() === "") {
    throw new ConfigError("config/missing", "Cannot train without a policy: this recipe names no `model`", {
      hint: "name one with `--model DIR`; the recipe's description says which kind it is for",
    });
  }
  checkBatch(recipe);
  checkLoss(recipe);
  checkLora(recipe);
  checkRewards(recipe);
}

/**
 * Refuses a recipe with two sources of problems, or an empty mixture.
 * @throws ConfigError `config/contradiction`
 */
export function checkSource(recipe: ParsedRecipe): void {
  const given = (["task", "tasks", "data"] as const).filter((key) => recipe[key] !== undefined);
  if (given.length > 1) {
    refuse(
      `Cannot take problems from \`${given.join("` and `")}\` at once`,
      `keep one of them; several tasks go into \`tasks\``,
    );
  }
  if (recipe.tasks?.length === 0)
    refuse("Cannot train on no task: `tasks` is empty", "name at least one task");
}

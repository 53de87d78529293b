/** The policy that `distill` begins with, where it goes on from none: fresh weights of a shape that `--set` can change. */
import * as v from "valibot";
import { ConfigError } from "../errors.ts";
import { freshWeights, smallLlamaConfig } from "../model/init.ts";
import type { Task } from "../tasks/api.ts";
import { parseOptions, wholeOption } from "../tasks/options.ts";
import { buildCharTokenizer } from "../text/char_tokenizer.ts";
import { loadTokenizer } from "../text/tokenizer.ts";

const MOST_HEADS = 128;
const shapeSchema = v.strictObject({
  width: wholeOption(128, 4, 8192),
  layers: wholeOption(2, 1, 64),
  heads: wholeOption(4, 1, MOST_HEADS),
  kvHeads: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MOST_HEADS))),
  mlpWidth: wholeOption(344, 4, 32_768),
  maxPositions: wholeOption(256, 16, 32_768),
});

/**
 * A fresh policy for a task, with a tokenizer of its characters.
 * @param given `model.KEY=VALUE` of the command line
 * @throws ConfigError `config/unknown-key`, `config/bad-value`
 */
export async function freshPolicy(task: Task, given: Record<string, unknown>, seed: number) {
  const shape = parseOptions("the model", shapeSchema, given);
  const { width, heads, kvHeads = heads } = shape;
  const refuse = (found: string, hint: string) =>
    new ConfigError("config/bad-value", `Cannot use the options of the model: ${found}`, { hint });
  if (width % (2 * heads) !== 0) {
    throw refuse(
      `\`width\` ${width} gives ${heads} heads ${width / heads} numbers each`,
      `Set \`width\` to a multiple of ${2 * heads}: each head needs an even number.`,
    );
  }
  if (heads % kvHeads !== 0) {
    throw refuse(
      `${heads} heads cannot share ${kvHeads} heads of keys and values`,
      "Set `kvHeads` to a number that divides `heads`.",
    );
  }
  const files = buildCharTokenizer(task.vocabulary!());
  const tokenizer = await loadTokenizer(files);
  const config = smallLlamaConfig({
    ...shape,
    kvHeads,
    vocabSize: Math.ceil(tokenizer.vocabSize / 4) * 4,
    eosId: tokenizer.eosIds[0],
    padId: tokenizer.padId,
  });
  return { config, tensors: freshWeights(config, seed), ...files };
}

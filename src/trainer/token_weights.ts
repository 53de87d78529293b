/**
 * The weight of every token in the loss, fixed when the batch is formed: no later split into micro-batches, packing
 * or reordering can change the gradient. Loss = Σ weight · term, summed over all completion tokens.
 */

/**
 * With n sequences of L_i completion tokens in K groups of L_g = Σ L_i tokens:
 * `group_mean` 1/(K·L_g), every prompt weighs the same (Magistral's literal formula);
 * `token_mean` 1/ΣL, every token weighs the same (DAPO);
 * `sequence_mean` 1/(n·L_i), every completion weighs the same (GRPO, GSPO);
 * `max_length` 1/(n·maxLength), a constant (Dr. GRPO);
 * `sequence_sum` 1/n (LUSPO: a sequence-level term times its length).
 */
export type TokenWeightRule = "group_mean" | "token_mean" | "sequence_mean" | "max_length" | "sequence_sum";
export const TOKEN_WEIGHT_RULES: readonly TokenWeightRule[] = [
  "group_mean",
  "token_mean",
  "sequence_mean",
  "max_length",
  "sequence_sum",
];

/**
 * (n) the weight that each token of each sequence carries.
 * @param lengths (n) completion tokens.
 * @param groups (n) the group of each sequence, any labels.
 * @param maxLength the longest completion allowed; read by `max_length` alone.
 * @throws RangeError for an empty completion, unequal lengths or a missing maxLength.
 */
export function tokenWeights(
  lengths: ArrayLike<number>,
  groups: ArrayLike<number>,
  rule: TokenWeightRule,
  maxLength = 0,
): Float64Array {
  const n = lengths.length;
  if (groups.length !== n) {
    throw new RangeError(
      `Cannot weigh ${n} sequences with ${groups.length} group labels: one each is needed`,
    );
  }
  const groupTokens = new Map<number, number>();
  let total = 0;
  for (let i = 0; i < n; i++) {
    if (!(lengths[i] > 0)) {
      throw new RangeError(
        `Cannot weigh sequence ${i} of ${lengths[i]} completion tokens: at least 1 is needed`,
      );
    }
    total += lengths[i];
    groupTokens.set(groups[i], (groupTokens.get(groups[i]) ?? 0) + lengths[i]);
  }
  if (rule === "max_length" && !(maxLength > 0)) {
    throw new RangeError(`Cannot weigh tokens by a maximum length of ${maxLength}: at least 1 is needed`);
  }
  const weights = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    switch (rule) {
      case "group_mean":
        weights[i] = 1 / (groupTokens.size * (groupTokens.get(groups[i]) ?? 0));
        break;
      case "token_mean":
        weights[i] = 1 / total;
        break;
      case "sequence_mean":
        weights[i] = 1 / (n * lengths[i]);
        break;
      case "max_length":
        weights[i] = 1 / (n * maxLength);
        break;
      case "sequence_sum":
        weights[i] = 1 / n;
        break;
    }
  }
  return weights;
}

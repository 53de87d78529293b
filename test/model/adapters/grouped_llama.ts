/** A small model whose key and value heads are fewer than its query heads. */
import { smallLlamaConfig } from "../../../src/model/init.ts";

/** C 24, H·D 24, K·D 8, F 40. */
export const groupedLlama = smallLlamaConfig({
  ...{ vocabSize: 12, width: 24, layers: 2, heads: 6, kvHeads: 2, mlpWidth: 40 },
  ...{ maxPositions: 32, eosId: 0, padId: 1 },
});

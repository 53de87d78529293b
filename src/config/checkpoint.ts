/** Recipe fields of checkpoints. */
import { group, whole } from "./field.ts";

export const checkpointSchema = group("Checkpoints in the run directory", {
  every: whole({
    default: 10,
    min: 0,
    max: 1000000,
    unit: "steps",
    description: "Steps between checkpoints; 0: only at the end",
  }),
  keep: whole({
    default: 2,
    min: 1,
    max: 100000,
    unit: "checkpoints",
    description: "Newest checkpoints that are kept",
  }),
});

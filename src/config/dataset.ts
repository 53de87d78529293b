/** Recipe fields of problems from a data file: where it is, which columns hold what, and how its rows are asked. */
import * as v from "valibot";
import { choice, flag, group, real, requiredText, textOrNone, whole } from "./field.ts";

const columnsSchema = group("Columns by what they hold; `column.field` reaches into one", {
  prompt: textOrNone({
    derived: "`prompt`, `question`, `problem` or `messages`",
    description: "Column with the problem, as text or messages",
  }),
  answer: textOrNone({
    derived: "`reward_model.ground_truth`, `answer`, `solution` or `ground_truth`",
    description: "Column with the right answer",
  }),
});

export const dataSchema = group("Problems from a data file instead of a task", {
  file: requiredText({
    level: "basic",
    description:
      "JSONL or Parquet file (a relative path starts at the recipe's folder), or `hub:owner/name[@revision]/path`; a revision's `/` is written `%2F`",
  }),
  columns: v.optional(columnsSchema, {}),
  promptTemplate: textOrNone({
    derived: "the problem alone",
    description:
      "Words around the problem: `{prompt}` stands for it, `{column}` for another column, `{{` for a brace",
  }),
  systemMessage: textOrNone({
    derived: "none",
    description: "System message before each problem, in place of the row's own; makes messages of text",
  }),
  asMessages: flag({
    default: false,
    description: "Ask text as a user's message, so that the model's chat template is applied",
  }),
  answerFrom: choice({
    choices: ["auto", "column", "gsm8k", "boxed"],
    default: "auto",
    description:
      "The answer's part of its column: all of it, what follows GSM8K's `####`, the last `\\boxed{…}`, or whichever of these is there",
  }),
  badRows: choice({
    choices: ["fail", "skip"],
    default: "fail",
    description: "Stop at rows that cannot be used, or leave them out and say which",
  }),
  heldOutShare: real({
    default: 0.1,
    min: 0.001,
    max: 0.9,
    unit: "share",
    description: "Share of the rows that is never trained on and serves evaluation",
  }),
  splitSeed: whole({
    default: 0,
    min: 0,
    max: 4294967295,
    description: "Chooses which rows are held out; the run's own seed does not, so that runs can be compared",
  }),
});

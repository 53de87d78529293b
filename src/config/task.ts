/** Recipe fields of the task stage: where problems come from. A recipe names a task, a mixture of tasks, or a file. */
import * as v from "valibot";
import { group, real, record, requiredText } from "./field.ts";

const taskName = () =>
  requiredText({
    level: "basic",
    description: "The task's name, for example `chain_sum`, `countdown`, `digits`",
  });
const taskOptions = () => record({ description: "Options of the task, checked by the task itself" });

export const taskSchema = group("One procedural task", { name: taskName(), options: taskOptions() });

export const tasksSchema = v.array(
  group("One task of a mixture", {
    name: taskName(),
    weight: real({
      default: 1,
      min: 1e-6,
      max: 1e6,
      description: "Share of the problems drawn from this task, relative to the other weights",
    }),
    options: taskOptions(),
  }),
);

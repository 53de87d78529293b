/** What a checkpoint says its policy was trained for is the run's task, not that of the model it began with. */
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { loadModelFiles, openModelFolder } from "../../src/data/source.ts";
import { makeTask } from "../../src/tasks/registry.ts";
import { outOfScope, readScope } from "../../src/tasks/scope.ts";
import { hasModel, removeFolders, tinyRecipe, train } from "./tiny.ts";

afterAll(removeFolders);

describe.skipIf(!hasModel)("a checkpoint's scope", () => {
  it("is the task and the length that it was trained for", async () => {
    const task = { name: "chain_sum", options: { minTerms: 2, maxTerms: 2 } };
    const { folder } = await train(tinyRecipe({ steps: 1, task, generator: { maxTokens: 20 } }));
    const { generationConfig } = await loadModelFiles(
      await openModelFolder(join(folder, "checkpoints", "step-000001")),
    );
    expect(generationConfig?.max_new_tokens).toBe(20);
    const scope = readScope(generationConfig);
    expect(outOfScope(scope, makeTask("chain_sum", task.options, 0).sample(0))).toBeNull();
    expect(outOfScope(scope, makeTask("chain_sum", { minTerms: 3 }, 0).sample(0))).not.toBeNull();
  });
});

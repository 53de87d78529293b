/** `models`: the models and data sets that were downloaded, and how to be rid of them. */
import { readModelName } from "../../config/model_name.ts";
import { listCached, removeCached } from "../../data/hub/cache.ts";
import { listCachedDatasets, listStoredDatasets, removeCachedDataset } from "../../data/hub/datasets.ts";
import { ConfigError } from "../../errors.ts";
import { mib } from "../../gpu/device.ts";
import type { Command } from "../command.ts";
import { openModel, openModelStore } from "../models.ts";
import { modelsSpec } from "../options.ts";
import { formatTable } from "../table.ts";

export const command: Command<typeof modelsSpec.options> = {
  ...modelsSpec,
  async run({ remove, get }, context) {
    const { output, env } = context;
    const store = openModelStore(env);
    if (get !== undefined) checkGet(get, remove);
    if (remove !== undefined) {
      const dataset = /^datasets\/(.+\/.+)$/.exec(remove)?.[1];
      const bytes = dataset ? await removeCachedDataset(store, dataset) : await removeCached(store, remove);
      output.event({ event: "removed", id: remove, bytes });
      output.print(`Removed ${remove}: ${mib(bytes)} given back`);
    }
    if (get !== undefined) await openModel(get, context);
    const models = await listCached(store);
    for (const model of models) output.event({ event: "model", ...model });
    if (models.length === 0) output.print(`No model has been downloaded to ${store.where}`);
    else {
      const rows = models.map(({ id, revision, commit, bytes, complete, textOnly }) => [
        id,
        revision,
        commit.slice(0, 12),
        mib(bytes),
        complete
          ? "whole"
          : textOnly
            ? "without weights: it was planned only"
            : "cut: ask for it again to go on",
      ]);
      output.print(formatTable(["model", "revision", "commit", "size", "state"], rows));
      output.print(`\nThey lie in ${store.where}`);
    }
    const datasets = await listCachedDatasets(store);
    const cut = (await listStoredDatasets(store)).filter(({ complete }) => !complete);
    for (const dataset of datasets) output.event({ event: "dataset", ...dataset });
    for (const { id, cutBytes: bytes } of cut) output.event({ event: "dataset", id, bytes, complete: false });
    if (datasets.length + cut.length > 0) {
      const whole = datasets.map(({ id, revisions, commit, bytes, files }) => [
        `datasets/${id}`,
        revisions.join(", "),
        commit.slice(0, 12),
        mib(bytes),
        files.map(({ path }) => path).join(", "),
      ]);
      const parts = cut.map(({ id, cutBytes }) => [
        `datasets/${id}`,
        "",
        "",
        mib(cutBytes),
        "cut: a run that needs it goes on",
      ]);
      output.print("");
      output.print(formatTable(["data set", "revision", "commit", "size", "files"], [...whole, ...parts]));
    }
    return 0;
  },
};

/** Only what the hub has can be downloaded, and not in one go with a removal: which of the two comes first is not said. */
function checkGet(get: string, remove: string | undefined): void {
  if (remove !== undefined) {
    throw new ConfigError("cli/bad-models", "Cannot take `--get` and `--remove` at once", {
      hint: "give one, then the other",
    });
  }
  if (readModelName(get).kind === "hub") return;
  throw new ConfigError("cli/bad-models", `Cannot download \`${get}\`: that is no model's id on the hub`, {
    hint: "write it like `--get HuggingFaceTB/SmolLM2-135M-Instruct`; folders and built-in policies are here already",
  });
}

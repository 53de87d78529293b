/** Reads a model in another thread: answers the sum of each tensor's values. */
import { type ModelHandle, reopenModelSource } from "../../src/data/source.ts";
import { openTensors } from "../../src/data/tensor_stream.ts";
import { config } from "./checkpoint_files.ts";

/** The worker's global scope, as far as this file needs it. */
const scope = globalThis as unknown as {
  onmessage: ((event: { data: ModelHandle }) => void) | null;
  postMessage(message: unknown): void;
};

async function sums(handle: ModelHandle): Promise<[string, number][]> {
  const source = await reopenModelSource(handle);
  const tensors = await openTensors(source, config);
  const found: [string, number][] = [];
  for (const name of tensors.names) {
    let sum = 0;
    await tensors.stream(name, (values) => {
      for (const value of values) sum += value;
    });
    found.push([name, sum]);
  }
  return found;
}

scope.onmessage = ({ data }) => {
  sums(data).then(
    (found) => scope.postMessage(found),
    (error: unknown) => scope.postMessage(String(error)),
  );
};
scope.postMessage("ready");

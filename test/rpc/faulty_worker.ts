/** The worker that connect.gpu.test.ts drives: answers, fails, hangs and dies on request. */
import { DataError } from "../../src/errors.ts";
import { serve } from "../../src/rpc/connect.ts";
import { typedPort } from "../../src/rpc/port.ts";

export interface FaultyApi {
  add(a: number, b: number): number;
  version: number;
  failWithCause(): void;
  throwText(): void;
  failDom(): void;
  hang(): Promise<never>;
  blockFor(ms: number): void;
  crashLater(): void;
  rejectLater(): void;
  closeSilently(): void;
  double(port: MessagePort): Promise<number>;
}

const api: FaultyApi = {
  version: 7,
  add: (a, b) => a + b,
  failWithCause: () => {
    throw new DataError("data/broken-row", "Cannot read line 3: found no answer", {
      hint: "Mend line 3",
      cause: new RangeError("too short"),
    });
  },
  throwText: () => {
    throw "only text";
  },
  failDom: () => {
    throw new DOMException("stopped", "AbortError");
  },
  hang: () => new Promise<never>(() => undefined),
  blockFor: (ms) => {
    const end = performance.now() + ms;
    while (performance.now() < end);
  },
  crashLater: () => {
    setTimeout(() => {
      throw new DataError("data/late", "thrown from a timer", { hint: "look here" });
    }, 5);
  },
  rejectLater: () => {
    setTimeout(() => void Promise.reject(new TypeError("nobody caught this")), 5);
  },
  closeSilently: () => {
    setTimeout(() => (globalThis as unknown as { close(): void }).close(), 5);
  },
  double: async (port) => {
    const typed = typedPort<
      { kind: "numbers"; values: Float32Array },
      { kind: "doubled"; values: Float32Array }
    >(port);
    let count = 0;
    for await (const { values } of typed) {
      count += 1;
      await typed.send({ kind: "doubled", values: values.map((value) => 2 * value) });
    }
    return count;
  },
};

serve(api);

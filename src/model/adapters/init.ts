/** Fresh adapters: they change nothing until the first step. */
import { randomStream } from "../../random.ts";
import type { ModelConfig } from "../config.ts";
import type { AdapterSettings } from "./config.ts";
import { layoutAdapters } from "./layout.ts";

/** Sets the streams of adapters apart from those of a fresh policy of the same seed. */
const ADAPTER_STREAMS = 1;

/**
 * Adapters by PEFT's names: A uniform within ±1/√I (Kaiming's rule with a = √5, PEFT's default), B zero.
 * @throws RangeError for a seed that is no whole number from 0 to 2^53 − 1
 */
export function freshAdapters(
  config: ModelConfig,
  settings: AdapterSettings,
  seed: number,
): Map<string, { shape: number[]; data: Float32Array<ArrayBuffer> }> {
  const tensors = new Map<string, { shape: number[]; data: Float32Array<ArrayBuffer> }>();
  layoutAdapters(config, settings).tensors.forEach(({ name, shape, length }, index) => {
    const data = new Float32Array(length);
    if (name.endsWith(".lora_A.weight")) {
      const bound = 1 / Math.sqrt(shape[1]);
      const random = randomStream(seed, ADAPTER_STREAMS, index);
      for (let i = 0; i < length; i++) data[i] = bound * (2 * random.unit() - 1);
    }
    tensors.set(name, { shape, data });
  });
  return tensors;
}

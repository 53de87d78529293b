/** The float64 vectors beside the project, for tests under Deno (the browser cannot read them). */
import { existsSync, readFileSync } from "node:fs";
import { parseSafetensors, toFloat32, toInt32 } from "../../src/model/safetensors.ts";

const shared = new URL("../../../shared/", import.meta.url);
export const hasVectors = existsSync(new URL("reference/vectors/", shared));

export interface Vectors {
  metadata: Record<string, string>;
  shape(name: string): readonly number[];
  floats(name: string): Float32Array;
  /** Integers as unsigned words. */
  words(name: string): Uint32Array;
}

/** One file of `reference/vectors`. */
export function readVectors(path: string): Vectors {
  const { metadata, tensors } = parseSafetensors(readFileSync(new URL(`reference/vectors/${path}`, shared)));
  return {
    metadata,
    shape: (name) => tensors.get(name)!.shape,
    floats: (name) => toFloat32(tensors.get(name)!),
    words: (name) => Uint32Array.from(toInt32(tensors.get(name)!)),
  };
}

/** A JSON file of `material`. */
export function readMaterial<T>(path: string): T {
  return JSON.parse(readFileSync(new URL(`material/${path}`, shared), "utf8"));
}

/**
 * Everything under a directory of vectors, case by case: `kernels/*.safetensors`, `models/*`, `adamw.safetensors`,
 * `sampling.safetensors`. What cannot be run, and files that no check knows, are failed cases and never left out.
 */
import { DataError, WebgrpoError } from "../errors.ts";
import type { Gpu } from "../gpu/device.ts";
import { type CaseResult, failedCase } from "./compare.ts";
import { runKernelCase } from "./kernel_cases.ts";
import { runModelCase } from "./model_case.ts";
import { runOptimizerCase } from "./optimizer_case.ts";
import { runSamplingCases } from "./sampling_case.ts";
import { readVectors, type VectorSource } from "./vectors.ts";

const SUFFIX = ".safetensors";

interface Part {
  name: string;
  run(gpu: Gpu): AsyncIterable<CaseResult>;
}

export interface ConformanceOptions {
  /** Runs only the cases whose path contains this. */
  only?: string;
  /** Tokens drawn to compare each filtered distribution's frequencies. Default 200,000. */
  draws?: number;
}

/**
 * Runs all cases, or those that the options choose.
 * @throws DataError where the directory holds no vectors, GpuLostError
 */
export async function* runConformance(
  gpu: Gpu,
  source: VectorSource,
  { only = "", draws = 200_000 }: ConformanceOptions = {},
): AsyncGenerator<CaseResult> {
  const parts = await listParts(source, draws);
  if (parts.length === 0) {
    throw new DataError(
      "conformance/no-vectors",
      `Cannot check anything in ${source.where}: it holds no vectors`,
      {
        hint: "Name a directory with kernels/, models/, adamw.safetensors or sampling.safetensors in it",
      },
    );
  }
  const chosen = parts.filter(({ name }) => name.includes(only));
  if (chosen.length === 0) {
    throw new DataError("conformance/no-vectors", `Cannot check anything: no case's name contains ${only}`, {
      hint: `The first of ${parts.length} is ${parts[0].name}`,
    });
  }
  for (const part of chosen) {
    try {
      yield* part.run(gpu);
      gpu.assertHealthy();
    } catch (error) {
      // A lost device runs nothing any more; all else concerns this case alone.
      if (error instanceof WebgrpoError && error.code === "gpu/lost") throw error;
      yield failedCase(part.name, error instanceof Error ? error.message : String(error));
    }
  }
}

async function listParts(source: VectorSource, draws: number): Promise<Part[]> {
  const [top, kernels, models] = [
    await source.list(""),
    await source.list("kernels"),
    await source.list("models"),
  ];
  const files = (names: readonly string[]) => names.filter((name) => name.endsWith(SUFFIX));
  return [
    ...files(kernels).map((file) => kernelPart(source, `kernels/${file}`)),
    ...models.map((model) => ({
      name: `models/${model}`,
      run: (gpu: Gpu) => runModelCase(gpu, source, `models/${model}`),
    })),
    ...files(top).map((file) => topPart(source, file, draws)),
  ];
}

function kernelPart(source: VectorSource, path: string): Part {
  const name = path.slice(0, -SUFFIX.length);
  return {
    name,
    async *run(gpu) {
      yield await runKernelCase(gpu, name, await readVectors(source, path));
    },
  };
}

function topPart(source: VectorSource, file: string, draws: number): Part {
  const name = file.slice(0, -SUFFIX.length);
  return {
    name,
    async *run(gpu) {
      if (name === "adamw") yield await runOptimizerCase(gpu, name, await readVectors(source, file));
      else if (name === "sampling")
        yield* runSamplingCases(gpu, name, await readVectors(source, file), draws);
      else yield failedCase(name, "no check knows this file");
    },
  };
}

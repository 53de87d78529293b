/** Compiles a kernel: explicit layout (the uniform has a dynamic offset), async, inside an error scope. */
import { ShaderError } from "../errors.ts";
import type { AnyKernel } from "./kernel.ts";

export interface Pipeline {
  readonly key: string;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** @throws ShaderError with the compiler's messages. */
export async function compilePipeline(device: GPUDevice, kernel: AnyKernel): Promise<Pipeline> {
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ label: kernel.key, code: kernel.code });
  const visibility = GPUShaderStage.COMPUTE;
  const layout = device.createBindGroupLayout({
    label: kernel.key,
    entries: [
      { binding: 0, visibility, buffer: { type: "uniform", hasDynamicOffset: true, minBindingSize: 0 } },
      ...kernel.access.map((access, i) => ({
        binding: i + 1,
        visibility,
        buffer: { type: access === "read" ? ("read-only-storage" as const) : ("storage" as const) },
      })),
    ],
  });
  const scope = device.popErrorScope();
  const build = device.createComputePipelineAsync({
    label: kernel.key,
    layout: device.createPipelineLayout({ label: kernel.key, bindGroupLayouts: [layout] }),
    compute: { module, entryPoint: kernel.label, constants: kernel.overrides },
  });
  const [failure, pipeline, info] = await Promise.all([
    scope,
    build.catch((cause: unknown) => cause),
    module.getCompilationInfo(),
  ]);
  if (failure || !(pipeline instanceof GPUComputePipeline)) {
    const messages = info.messages.map((m) => `${kernel.label}.wgsl:${m.lineNum}:${m.linePos} ${m.message}`);
    const reason = [failure?.message, pipeline instanceof Error ? pipeline.message : "", ...messages]
      .filter(Boolean)
      .join("\n");
    throw new ShaderError("gpu/shader", `Cannot compile ${kernel.key}: ${reason}`, {
      cause: pipeline,
      hint: "Run `npm run doctor`: it names the adapter, its features and the kernel families that work.",
    });
  }
  return { key: kernel.key, pipeline, layout };
}

import { describe, expect, it } from "vitest";
import { decoderGraph } from "../../src/export/onnx_decoder.ts";
import { joinWeights, packOnnx } from "../../src/export/onnx_file.ts";
import { OnnxPolicy } from "../../src/export/onnx_policy.ts";
import { expectClose, largest } from "../gpu_harness.ts";
import { decoderReference, randomTensors, shapes } from "./decoder_reference.ts";

const config = shapes["Qwen3, tied"];
const tensors = randomTensors(config, 11);
const graph = decoderGraph(config, tensors);

describe("packOnnx()", () => {
  it("puts weights that do not fit into a file of their own, which onnxruntime reads", async () => {
    const { model, weights } = await packOnnx(graph, "model.onnx_data", 1000);
    expect(weights!.filter(({ offset }) => offset % 4096 !== 0)).toEqual([]);
    const data = joinWeights(weights!);
    const policy = await OnnxPolicy.open(model, config, [{ path: "model.onnx_data", data }]);
    const ids = [3, 1, 4, 1, 5, 9, 2, 6];
    const { logits } = await policy.step({ ids: [ids] });
    const want = decoderReference(config, tensors, ids);
    expectClose("logits", logits, want, { atol: 1e-4 * largest(want) });
    await policy.release();
    const whole = await packOnnx(graph, "model.onnx_data");
    expect(whole.weights).toBeNull();
    const outside = weights!.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
    expect(whole.model.byteLength - model.byteLength).toBeGreaterThan(0.95 * outside);
  });

  it("is refused by onnxruntime without its file of weights, by a message that names it", async () => {
    const { model } = await packOnnx(graph, "model.onnx_data", 1000);
    await expect(OnnxPolicy.open(model, config)).rejects.toMatchObject({
      code: "export/not-loaded",
      message: expect.stringContaining("model.onnx_data"),
    });
  });
});

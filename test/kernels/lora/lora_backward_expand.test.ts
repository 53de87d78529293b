import { describe } from "vitest";
import { loraBackwardExpand } from "../../../src/kernels/lora/lora_backward_expand.ts";
import { EVEN_SHAPES, ODD_SHAPES } from "./lora_case.ts";
import { testLoraBackwardExpand } from "./lora_checks.ts";

// Broken on purpose once: the last n left out, db overwritten under accumulate, scale left out. Each fails.
describe("loraBackwardExpand()", () =>
  testLoraBackwardExpand(loraBackwardExpand, [...ODD_SHAPES, ...EVEN_SHAPES.slice(2)]));

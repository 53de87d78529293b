import { describe } from "vitest";
import { loraBackwardExpandVec4 } from "../../../src/kernels/lora/lora_backward_expand_vec4.ts";
import { EVEN_SHAPES } from "./lora_case.ts";
import { testLoraBackwardExpand } from "./lora_checks.ts";

// Broken on purpose once: the last n left out, db overwritten under accumulate, the outer product transposed. Each fails.
describe("loraBackwardExpandVec4()", () => testLoraBackwardExpand(loraBackwardExpandVec4, EVEN_SHAPES));

import { describe } from "vitest";
import { loraBackwardHiddenVec4 } from "../../../src/kernels/lora/lora_backward_hidden_vec4.ts";
import { EVEN_SHAPES } from "./lora_case.ts";
import { testLoraBackwardHidden } from "./lora_checks.ts";

// Broken on purpose once: scale left out, b transposed, dy read without the module's start. Each fails.
describe("loraBackwardHiddenVec4()", () => testLoraBackwardHidden(loraBackwardHiddenVec4, EVEN_SHAPES));

import { describe } from "vitest";
import { loraExpandVec4 } from "../../../src/kernels/lora/lora_expand_vec4.ts";
import { EVEN_SHAPES } from "./lora_case.ts";
import { testLoraExpand } from "./lora_checks.ts";

// Broken on purpose once: two rows of b swapped, the last quad of j left out, scale left out. Each fails.
describe("loraExpandVec4()", () => testLoraExpand(loraExpandVec4, EVEN_SHAPES));

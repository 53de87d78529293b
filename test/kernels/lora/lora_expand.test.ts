import { describe } from "vitest";
import { loraExpand } from "../../../src/kernels/lora/lora_expand.ts";
import { EVEN_SHAPES, ODD_SHAPES } from "./lora_case.ts";
import { testLoraExpand } from "./lora_checks.ts";

// Broken on purpose once: two rows of b swapped, the last j left out, the first module's hidden rows for all, y overwritten,
// the second or third module from wrong rows of b. Each fails.
describe("loraExpand()", () => testLoraExpand(loraExpand, [...ODD_SHAPES, ...EVEN_SHAPES.slice(2)]));

import { describe } from "vitest";
import { loraBackwardHidden } from "../../../src/kernels/lora/lora_backward_hidden.ts";
import { EVEN_SHAPES, ODD_SHAPES } from "./lora_case.ts";
import { testLoraBackwardHidden } from "./lora_checks.ts";

// Broken on purpose once: the last o left out, dy read without the module's start, all modules stored as the first. Each
// fails.
describe("loraBackwardHidden()", () =>
  testLoraBackwardHidden(loraBackwardHidden, [...ODD_SHAPES, ...EVEN_SHAPES.slice(2)]));

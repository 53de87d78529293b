import { describe, expect, it } from "vitest";
import { Admission } from "../../src/generator/admission.ts";

describe("Admission", () => {
  it("starts one batch when no staleness is allowed, and the next only after it was trained on", () => {
    const admission = new Admission({ groupsPerBatch: 4, maxStaleness: 0 });
    expect(admission.permits(10)).toBe(4);
    admission.started(4);
    expect(admission.permits(10)).toBe(0);
    admission.finished(4);
    expect(admission.permits(9)).toBe(4);
  });

  it("replaces dropped groups one for one", () => {
    const admission = new Admission({ groupsPerBatch: 4, maxStaleness: 1 });
    admission.started(admission.permits(10));
    expect(admission.outstanding).toBe(8);
    admission.finished(3);
    expect(admission.permits(10)).toBe(3);
  });

  it("starts nothing that no batch is left for", () => {
    const admission = new Admission({ groupsPerBatch: 4, maxStaleness: 2 });
    admission.started(4);
    expect(admission.permits(1)).toBe(0);
    expect(admission.permits(2)).toBe(4);
  });
});

import { describe, expect, it } from "vitest";
import { describeFields, type FieldDescription, settingPaths } from "../../../../src/config/describe.ts";
import { STAGES } from "../../../../src/ui/state/records.ts";
import { formSections, labelOf, showNumber, sourceParts } from "../../../../src/ui/views/settings/fields.ts";

const pathsOf = (sections = formSections()) =>
  sections.flatMap(({ basic, advanced }) => [...basic, ...advanced].map(({ path }) => path));

const extra = (path: string, more: Partial<FieldDescription> = {}): FieldDescription => ({
  kind: "number",
  path,
  description: "New",
  level: "basic",
  default: 1,
  min: 0,
  max: 2,
  ...more,
});

describe("formSections()", () => {
  it("shows every setting of the schema once, and no group", () => {
    expect(pathsOf().toSorted()).toEqual(settingPaths().toSorted());
  });

  it("keeps basic and advanced settings apart, as the schema has them", () => {
    for (const { basic, advanced } of formSections()) {
      expect(basic.every(({ field }) => field.level === "basic")).toBe(true);
      expect(advanced.every(({ field }) => field.level === "advanced")).toBe(true);
    }
  });

  it("gives each stage its own section, and the rest none of their colours", () => {
    const stages = formSections().map(({ stage }) => stage);
    expect(stages.filter((stage) => stage !== null)).toEqual([...STAGES]);
    expect(formSections().find(({ id }) => id === "evaluation")?.stage).toBeNull();
  });

  it("takes up a new setting, a new group and a new control by itself", () => {
    const sections = formSections([
      ...describeFields(),
      extra("trainer.momentum"),
      extra("auction", { kind: "group", description: "Auctions: who pays", level: "basic" }),
      extra("auction.bid", { kind: "integer", unit: "coins", level: "advanced" }),
    ]);
    const trainer = sections.find(({ id }) => id === "trainer");
    expect(trainer?.basic.at(-1)).toMatchObject({
      path: "trainer.momentum",
      label: "Momentum",
      control: "number",
    });
    expect(sections.at(-1)).toMatchObject({ id: "auction", title: "Auction", description: "Who pays" });
    expect(sections.at(-1)?.advanced[0]).toMatchObject({ bounds: "0 to 2 coins", group: "" });
  });

  it("puts settings of a group within a stage under that group", () => {
    const all = formSections().flatMap(({ advanced }) => advanced);
    expect(all.find(({ path }) => path.endsWith("truncatedImportance.cap"))?.group).toBe(
      "trainer.truncatedImportance",
    );
  });

  it("suits controls to what the settings take", () => {
    const fields = formSections().flatMap(({ basic, advanced }) => [...basic, ...advanced]);
    const control = (path: string) => fields.find((field) => field.path === path)?.control;
    expect(
      [
        "mode",
        "gpu.selfTest",
        "steps",
        "verifier.rewards",
        "task.options",
        "model",
        "extends",
        "task.name",
      ].map(control),
    ).toEqual(["segments", "flag", "number", "list", "record", "text", "recipe", "task"]);
  });
});

describe("words of a field", () => {
  it("makes labels of keys", () => {
    expect(labelOf("maxRefillWaves")).toBe("Max refill waves");
    expect(labelOf("epsilonHigh")).toBe("Upper clip ε");
    expect(labelOf("constructor")).toBe("Constructor");
  });

  it("links papers to their abstracts on arxiv.org and nothing else", () => {
    expect(sourceParts("arXiv:2506.10910 §2.1")).toEqual([
      { text: "arXiv:2506.10910", url: "https://arxiv.org/abs/2506.10910" },
      { text: " §2.1" },
    ]);
    expect(sourceParts("prototype")).toEqual([{ text: "prototype" }]);
    expect(sourceParts(undefined)).toEqual([]);
    const urls = formSections()
      .flatMap(({ basic, advanced }) => [...basic, ...advanced])
      .flatMap(({ source }) => source.flatMap(({ url }) => url ?? []));
    expect(urls.length).toBeGreaterThan(10);
    expect(urls.every((url) => /^https:\/\/arxiv\.org\/abs\/\d{4}\.\d{4,5}$/.test(url))).toBe(true);
  });

  it("writes numbers for readers", () => {
    expect([1e-15, 3e-4, 0, 0.25, 4096, 131072].map(showNumber)).toEqual([
      "1 × 10⁻¹⁵",
      "0.0003",
      "0",
      "0.25",
      "4096",
      "131,072",
    ]);
  });
});

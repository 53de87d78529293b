import { describe, expect, it } from "vitest";
import { describeFields } from "../../src/config/describe.ts";
import { configMarkdown } from "../../src/config/docs.ts";

describe("docs/config.md", () => {
  it("is what the schema says; `npx vitest run --project logic test/style -u` writes it", async () => {
    await expect(configMarkdown()).toMatchFileSnapshot("../../docs/config.md");
  });

  it("has a row for every setting", () => {
    const text = configMarkdown();
    for (const field of describeFields()) expect(text).toContain(`\`${field.path}\``);
  });
});

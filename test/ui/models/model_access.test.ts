import { afterEach, describe, expect, it } from "vitest";
import {
  cleanAddress,
  dropped,
  hubAddress,
  hubToken,
  modelAccess,
  readHubAddress,
} from "../../../src/ui/state/model_access.ts";
import { formatUrlState, parseUrlState } from "../../../src/ui/state/url.ts";

afterEach(() => {
  hubToken.value = "";
  hubAddress.value = "";
  dropped.value = {};
});

describe("modelAccess()", () => {
  it("says only what differs from the public hub without a token", () => {
    expect(modelAccess()).toEqual({});
    hubToken.value = "hf_x";
    hubAddress.value = "https://hub.example";
    dropped.value = { mine: { "config.json": new Blob(["{}"]) } };
    expect(modelAccess()).toEqual({
      hubUrl: "https://hub.example",
      token: "hf_x",
      dropped: dropped.value,
    });
  });

  it("has no part in the address that the page writes", () => {
    hubToken.value = "hf_x";
    expect(formatUrlState(parseUrlState("#set=model:a/b").state)).not.toContain("hf_x");
  });
});

describe("cleanAddress()", () => {
  it("takes addresses of the web alone, without the slash at their end", () => {
    expect(cleanAddress(" https://hub.example/mirror/ ")).toBe("https://hub.example/mirror");
    expect(readHubAddress("?hub=http%3A%2F%2Flocalhost%3A8080")).toBe("http://localhost:8080");
    for (const text of ["", "hub.example", "javascript:alert(1)", "file:///etc"])
      expect(cleanAddress(text), text).toBeNull();
  });
});

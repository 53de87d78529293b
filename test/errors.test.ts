import { describe, expect, it } from "vitest";
import * as errors from "../src/errors.ts";
import { decodeError, encodeError } from "../src/rpc/errors.ts";

const classes = Object.entries(errors).filter(
  (entry): entry is [string, typeof errors.WebgrpoError] =>
    typeof entry[1] === "function" && entry[0].endsWith("Error") && entry[0] !== "describeError",
);

describe("the project's errors", () => {
  it("are all looked at", () => {
    expect(classes.length).toBe(8);
  });

  it.each(classes)("%s keeps its name under a minifier, and its class on the wire", (name, Class) => {
    // What a minifier does to a class: the same behaviour under another name.
    const Renamed = (() => class a extends Class {})();
    const error = new Renamed("x/y", "Cannot do it", { hint: "Do another" });
    expect(error.name).toBe(name);
    const decoded = decodeError(structuredClone(encodeError(error)));
    expect(decoded).toBeInstanceOf(Class);
    expect(decoded).toMatchObject({ name, code: "x/y", message: "Cannot do it", hint: "Do another" });
  });
});

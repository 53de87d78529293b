/** Share of letters a to z: random text earns a little of it, and no two random texts the same. */
export function letters({ completions }) {
  return completions.map((text) => text.replace(/[^a-z]/gi, "").length / Math.max(1, text.length));
}

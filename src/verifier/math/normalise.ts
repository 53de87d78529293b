/**
 * Brings an answer as people write it, LaTeX or plain, to the small dialect that `parse.ts` reads: no wrappers, no
 * spacing commands, no currency, no trailing units, one spelling of fractions.
 */

const WRAPPER =
  /\\(?:text|mbox|textbf|textrm|textit|textsf|texttt|mathrm|mathbf|mathit|mathsf)\s*\{((?:[^{}]|\{[^{}]*\})*)\}/;
const COMMANDS =
  "boxed|fbox|frac|dfrac|tfrac|cfrac|sqrt|left|right|text|mbox|le|ge|leq|geq|lt|gt|ne|neq|pi|cdot|times|cup|cap|infty|in|pm|circ|quad|begin|end|mathrm|mathbf|overline";
const UNIT_WORDS =
  "units?|squares?|sq|cubic|cm|mm|km|dm|m|kg|mg|g|lbs?|oz|ft|feet|foot|in|inch(?:es)?|yards?|yd|miles?|mi|mph|kph|" +
  "met(?:er|re)s?|centimet(?:er|re)s?|kilomet(?:er|re)s?|millimet(?:er|re)s?|lit(?:er|re)s?|ml|gallons?|" +
  "seconds?|secs?|s|minutes?|mins?|hours?|hrs?|h|days?|weeks?|months?|years?|dollars?|cents?|euros?|yuan|usd|eur|" +
  "degrees?|deg|rad(?:ians?)?|percent|percentage|pct|points?|people|students?|ways?|times|apples|grams?|kilograms?|pounds?";
/** Single letters that are more often symbols than units are cut only behind a decimal or a long number. */
const UNITS = new RegExp(
  `(?<=[\\d})\\]!])\\s*(?:${UNIT_WORDS})(?:\\s+(?:${UNIT_WORDS}|per\\s+\\w+))*\\s*\\.?(?:\\s*\\^?\\s*\\{?[23]\\}?|[²³])?$`,
  "i",
);
const SINGLE_LETTER_UNIT = /(?<=\d)\s*[a-z]$/i;

/** True where the answer is marked as a percentage. */
export const isPercentage = (raw: string): boolean => /%|\bpercent\b|\bpct\b/i.test(raw);

/** Undoes doubled backslashes before commands, as JSON escapes written twice leave them. */
export const undouble = (text: string): string =>
  text.includes("matrix}") || text.includes("{array}")
    ? text
    : text.replace(new RegExp(`\\\\\\\\(?=(?:${COMMANDS})(?![a-zA-Z])|[()[\\]{}])`, "g"), "\\");

function unwrapMath(text: string): string {
  let out = text.trim();
  for (let round = 0; round < 6; round++) {
    const before = out;
    out = out.replace(/^(?:\$\$?|\\\(|\\\[)\s*/, "").replace(/\s*(?:(?<!\\)\$\$?|\\\)|\\\])$/, "");
    out = out.replace(/(?<!\\)[.,;:\s]+$/, "").trim();
    const boxed = /^\\(?:boxed|fbox)\s*\{(.*)\}$/s.exec(out);
    if (boxed && !/\\(?:boxed|fbox)/.test(boxed[1]) && isBalanced(boxed[1])) out = boxed[1].trim();
    if (out === before) break;
  }
  return out;
}

function isBalanced(text: string): boolean {
  let open = 0;
  for (const c of text) {
    if (c === "{") open++;
    else if (c === "}" && --open < 0) return false;
  }
  return open === 0;
}

/** Replaces commas and spaces inside grouped numerals such as 1,234,567; only outside brackets. */
export function joinThousands(text: string): string {
  let depth = 0;
  const outside = [...text].map((c) => {
    if ("([{".includes(c)) depth++;
    const inside = depth > 0;
    if (")]}".includes(c)) depth--;
    return !inside;
  });
  return text.replace(
    /(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])|(?<![\d.])\d{1,3}(?: \d{3})+(?!\d)/g,
    (found, at) => (outside[at] ? found.replace(/[, ]/g, "") : found),
  );
}

/** Removes \text{…} and its kin but keeps what is inside; `and` and `or` inside become commas. */
function openText(text: string): string {
  let out = text;
  for (let round = 0; round < 40; round++) {
    const match = WRAPPER.exec(out);
    if (!match) break;
    const inside = match[1].trim();
    const before = out.slice(0, match.index);
    const after = out.slice(match.index + match[0].length);
    let kept = ` ${inside} `;
    if (/\b(?:and|or)\b/i.test(inside) || inside === ",") kept = " , ";
    else if (/[\d})\]]\s*$/.test(before) && !/^\s*[\d\\(=]/.test(after)) {
      // A unit or a remark behind a number: it goes, with its power.
      out = before + after.replace(/^\s*\^\s*(?:\{\d\}|\d)/, "");
      continue;
    } else if (/^[\w\s-]{2,}$/.test(inside) && (before.trim() !== "" || after.trim() !== "")) {
      kept = `\\variable{${inside.replace(/\W/g, "")}}`;
    }
    out = before + kept + after;
  }
  return out;
}

/** The answer in the dialect of `parse.ts`. */
export function normaliseAnswer(raw: string): string {
  let text = unwrapMath(undouble(raw));
  text = text
    .replace(/\\(?:boxed|fbox)\s*(?=\{)/g, "")
    .replace(
      /\\(?:left|right|mleft|mright|middle|bigl|bigr|Bigl|Bigr|biggl|biggr|big|Big|bigg|Bigg)(?![a-zA-Z])\s*\.?/g,
      "",
    )
    .replace(/\\[dtc]frac(?![a-z])/g, "\\frac")
    .replace(/(\d)\s*,\s*\\!\s*(?=\d)/g, "$1,")
    .replace(/(\d)\{,\}(?=\d)/g, "$1,")
    .replace(/\\!/g, "")
    .replace(/(\d)\\[,;: ](?=\d{3}(?!\d))/g, "$1 ")
    .replace(
      /(?<!\\)\\(?:[,;:> ]|(?:q?quad|hspace\{[^}]*\}|hfill|thinspace|medspace|displaystyle)(?![a-z]))/g,
      " ",
    )
    .replace(/\\q?quad(?=[a-z])/g, " ")
    .replace(/~(?=\S)/g, " ")
    .replace(/\\(?:\$|textdollar|euro|pounds)(?![a-z])|[$€£¥₽]/g, "")
    .replace(/\s*\\?[%％]\s*$|\s*\b(?:percent|pct)\b\.?\s*$/i, "")
    .replace(/\^\s*(?:\\circ(?![a-z])|\{\s*\\circ\s*\})|°|\\degree(?![a-z])/g, "")
    .replace(/(['"])(-?[\d.]+)\1/g, "$2")
    .replace(/\\(?:dots|ldots|cdots|dotsc)(?![a-z])/g, "…");
  text = openText(text)
    .replace(/(?<![a-zA-Z\\])(?:and|or)(?![a-zA-Z])/gi, ",")
    .replace(/(?<=\)|\d)(?:or|and)(?=[\w(\\])/g, ",")
    .trim();
  text = text.replace(/(?<![\d./*^])(\d+) (\d+)\/(\d+)(?![\d.])/g, "$1\\frac{$2}{$3}");
  text = text.replace(UNITS, "").trim();
  if (/^-?[\d., ]{3,}[a-z]$/i.test(text) || /^-?\d+\.\d+\s*[a-z]$/i.test(text))
    text = text.replace(SINGLE_LETTER_UNIT, "");
  text = text.replace(/\\?[%％](?=\s*(?:,|;|$))/g, "");
  return text
    .replace(/,\s*(?=,)/g, "")
    .replace(/(?<!\\)[.,;:\s]+$/, "")
    .replace(/\s+/g, " ")
    .trim();
}

/** A canonical text for word answers: no wrappers, articles, brackets around, case of words or spaces. */
export function textForm(raw: string): string {
  let text = unwrapMath(undouble(raw));
  for (let round = 0; round < 8 && WRAPPER.test(text); round++) text = text.replace(WRAPPER, "$1");
  text = text.replace(/\\[,;:! ]|\\q?quad(?![a-z])|[~$]/g, " ").replace(/\\left|\\right/g, "");
  text = text
    .trim()
    .replace(/[.\s]+$/, "")
    .replace(/\s+/g, " ");
  const bracketed = /^\(\s*([A-Za-z])\s*\)$/.exec(text);
  if (bracketed) return bracketed[1];
  if (/^[\p{L}][\p{L}\s'-]+$/u.test(text)) {
    text = text.toLowerCase().replace(/^(?:an?|the) (?=\p{L}{2})/u, "");
  }
  return text.replace(/\s/g, "");
}

/** Takes a Markdown page apart for the tests of docs: code, links, steps, and what of it names something of the project. */
import { filesBelow, has, readText } from "../style/tree.ts";

/** A page's text without its fenced blocks. */
export const prose = (text: string): string => text.replace(/^```[\s\S]*?^```$/gm, "");

/** The contents of fenced blocks, of one language where it is given. */
export function fencedBlocks(text: string, language = ""): string[] {
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)]
    .filter(([, tag]) => tag === language)
    .map(([, , content]) => content);
}

/** Everything in backquotes outside fenced blocks. */
export const codeSpans = (text: string): string[] =>
  [...prose(text).matchAll(/`([^`]+)`/g)].map(([, code]) => code);

/** The section under a heading of level two, without deeper structure. */
export function section(text: string, heading: string): string {
  const part = text.split(/^## /m).find((one) => one.startsWith(`${heading}\n`));
  if (part === undefined) throw new Error(`there is no section "## ${heading}"`);
  return part.slice(heading.length);
}

/** The numbered steps of a section; a step's text goes on until the next number or an empty line. */
export function numberedSteps(text: string): { number: number; text: string }[] {
  return [...prose(text).matchAll(/^(\d+)\. ([\s\S]*?)(?=^\d+\. |\n\n|$(?![\s\S]))/gm)].map(
    ([, number, content]) => ({
      number: Number(number),
      text: content,
    }),
  );
}

/** Targets of links within the project. */
export function relativeLinks(text: string): string[] {
  return [...prose(text).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)]
    .map(([, target]) => target)
    .filter((target) => !/^[a-z]+:/.test(target));
}

const topFolders = /^(src|test|shaders|workers|docs|public|\.ci)\//;
const rootFile = /^[\w-]+\.(md|json|ts)$/;

/** Tells whether code in backquotes is a path within the project. */
export const isPath = (code: string): boolean => topFolders.test(code) || (rootFile.test(code) && has(code));

const placeholder = /\b[A-Z]{4,}\b/g;

/** Words in capitals (FOLDER, NAME) stand for any name: whether some file or folder is of this form. */
export function pathExists(code: string): boolean {
  const path = code.replace(/\/$/, "");
  if (has(path)) return true;
  if (path.search(placeholder) < 0) return false;
  const form = path.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(placeholder, "\\w+");
  const files = filesBelow(path.slice(0, path.indexOf("/")), /./);
  return files.some((file) => new RegExp(`^${form}(/|$)`).test(file));
}

/** `npm run NAME` and `npm test` as they stand in a text, with the words that follow in the same code. */
export function npmCommands(text: string): { script: string; words: string[] }[] {
  const code = [...codeSpans(text), ...fencedBlocks(text).flatMap((block) => block.split("\n"))];
  return code.flatMap((line) => {
    const match = /^npm (?:run (?:-s )?([\w:]+)|(test))(?: -- (.*))?$/.exec(line.trim());
    return match ? [{ script: match[1] ?? match[2], words: shellWords(match[3] ?? "") }] : [];
  });
}

/** Splits as a shell does, as far as quotes go. */
export function shellWords(line: string): string[] {
  return [...line.matchAll(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g)].map(([word]) =>
    word.replace(/"([^"]*)"|'([^']*)'/g, "$1$2"),
  );
}

/** The paths a file tree drawn in a fenced block names: two spaces a level, several entries on a line, words behind two spaces. */
export function treePaths(block: string): string[] {
  const folders: string[] = [];
  const paths: string[] = [];
  for (const line of block.split("\n")) {
    if (line.trim() === "") continue;
    const depth = (/^ */.exec(line)?.[0].length ?? 0) / 2;
    const entries = line.trim().split(/ {2,}/);
    const names = entries.filter((entry, i) => i === 0 || /^[\w.-]+(\/|\.\w+)$/.test(entry));
    folders.length = depth;
    for (const name of names) paths.push([...folders, name].join("").replace(/\/$/, ""));
    if (names.length === 1 && names[0].endsWith("/")) folders.push(names[0]);
  }
  return paths;
}

/** What a page names that is not there. */
export function missingThings(page: string): string[] {
  const text = readText(page);
  const scripts = (JSON.parse(readText("package.json")) as { scripts: Record<string, string> }).scripts;
  const folder = new URL(page.replace(/[^/]*$/, ""), "file:///");
  return [
    ...codeSpans(text).filter((code) => isPath(code) && !pathExists(code)),
    ...relativeLinks(text).filter((target) => !has(decodeURI(new URL(target, folder).pathname.slice(1)))),
    ...npmCommands(text)
      .map(({ script }) => script)
      .filter((script) => script !== "COMMAND" && !(script in scripts))
      .map((script) => `npm run ${script}`),
  ];
}

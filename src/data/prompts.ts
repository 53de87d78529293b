/**
 * How a row is asked: the column with the problem (text or messages), a template with slots for columns, and a system
 * message. Messages go through the model's chat template later; text stays as it is.
 */
import { ConfigError } from "../errors.ts";
import type { Message, Prompt } from "../rollout.ts";
import { type DataRow, isFilled, type RefuseRow, valueAt } from "./row_values.ts";

export interface PromptOptions {
  /** Empty or absent: the first of PROMPT_COLUMNS that a row has. */
  promptColumn?: string;
  /** Text with `{column}` slots; `{prompt}` is the problem, whatever its column is called. */
  promptTemplate?: string;
  /** Stands before every prompt, in place of a row's own; makes messages of text prompts. */
  systemMessage?: string;
  /** Makes a user's message of text prompts, so that the model's chat template is applied. */
  asMessages?: boolean;
}

export interface RowPrompt {
  prompt: Prompt;
  /** The assistant's last turn, where a conversation ended with it: an answer, not part of the prompt. */
  reply: string | null;
  /** Whether the column is one that always comes with an answer. */
  needsAnswer: boolean;
}

/** Columns with the problem, by preference. */
export const PROMPT_COLUMNS = ["prompt", "question", "problem", "messages"];
/** Of these, a row without answer is damaged. */
const ANSWERED_COLUMNS = ["question", "problem"];
const ROLES = ["system", "user", "assistant", "tool"];

function readMessages(list: unknown[], no: RefuseRow): Message[] {
  if (list.length === 0) throw no("its prompt has no messages", "Give at least one message.");
  return list.map((entry, i) => {
    const { role, content } = (entry ?? {}) as DataRow;
    if (typeof role !== "string" || !ROLES.includes(role)) {
      throw no(`message ${i + 1} has the role ${JSON.stringify(role)}`, `Use one of ${ROLES.join(", ")}.`);
    }
    if (typeof content !== "string") {
      throw no(
        `the content of message ${i + 1} is not text`,
        'Write messages as {"role": …, "content": "…"}.',
      );
    }
    return { role: role as Message["role"], content };
  });
}

/** A template in pieces: text, and columns to put between. */
type Piece = string | { slot: string };

/**
 * Takes a template apart. `{{` and `}}` stand for braces, and braces behind a LaTeX command are its own: `\boxed{answer}`
 * must never give the answer away.
 */
export function parseTemplate(template: string): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const found of template.matchAll(/\{\{|\}\}|(?<!\\[A-Za-z]+)\{([A-Za-z_][\w.-]*)\}/g)) {
    pieces.push(template.slice(from, found.index));
    pieces.push(found[1] === undefined ? found[0][0] : { slot: found[1] });
    from = found.index + found[0].length;
  }
  pieces.push(template.slice(from));
  if (pieces.some((piece) => typeof piece !== "string")) return pieces.filter((piece) => piece !== "");
  throw new ConfigError("config/bad-value", "Cannot use `data.promptTemplate`: it has no slot for a column", {
    hint: "Put `{prompt}` where the problem goes; other columns go by their names, `{level}`",
  });
}

/** The column with the problem and what it holds. */
function findProblem(row: DataRow, promptColumn: string | undefined, no: RefuseRow): [string, unknown] {
  const column = promptColumn || PROMPT_COLUMNS.find((name) => isFilled(row[name]));
  const value = column === undefined ? undefined : valueAt(row, column);
  if (column !== undefined && isFilled(value)) return [column, value];
  if (promptColumn) {
    throw no(`the column \`${promptColumn}\` is missing`, "Fill it in every row, or name another column.");
  }
  throw no(
    "it has neither `prompt` nor `question`, `problem` or `messages`",
    "Name the column with the problem in `data.columns.prompt`.",
  );
}

function checkText(column: string, value: unknown, no: RefuseRow): string {
  if (typeof value !== "string") throw no(`\`${column}\` is not text`, `Write \`${column}\` as text.`);
  if (value.trim() === "") throw no(`\`${column}\` is empty`, "Remove the row, or fill it in.");
  return value;
}

/** Splits a conversation at its end: what is asked, and the assistant's answer to it. */
function splitReply(messages: Message[], no: RefuseRow): { asked: Message[]; reply: string | null } {
  const last = messages.findLastIndex(({ role }) => role !== "assistant");
  if (last < 0) throw no("its messages are the assistant's alone", "Give the user's message as well.");
  return { asked: messages.slice(0, last + 1), reply: messages[last + 1]?.content ?? null };
}

function fill(pieces: readonly Piece[], row: DataRow, problem: string | null, no: RefuseRow): string {
  return pieces
    .map((piece) => {
      if (typeof piece === "string") return piece;
      const value = piece.slot === "prompt" && problem !== null ? problem : valueAt(row, piece.slot);
      if (!isFilled(value)) {
        throw no(
          `the column \`${piece.slot}\`, a slot of the prompt's template, is missing`,
          "Fill it in every row, or write `{{` and `}}` for braces that are text.",
        );
      }
      if (typeof value !== "object") return String(value);
      throw no(
        `\`${piece.slot}\`, a slot of the prompt's template, is not text`,
        "Name a column with text or numbers, or a field of this one (`{column.field}`).",
      );
    })
    .join("");
}

/** What the template makes of a conversation: its last turn that is the user's is asked in the template's words. */
function fillMessages(messages: Message[], write: (text: string) => string, no: RefuseRow): Message[] {
  const at = messages.findLastIndex(({ role }) => role === "user");
  if (at < 0) throw no("none of its messages is the user's", "Give the user's message as well.");
  return messages.map((message, i) => (i === at ? { ...message, content: write(message.content) } : message));
}

/** Makes the reader of prompts that the options describe. @throws ConfigError for a template without slots */
export function promptReader(options: PromptOptions): (row: DataRow, no: RefuseRow) => RowPrompt {
  const { promptColumn, promptTemplate, systemMessage, asMessages = false } = options;
  const pieces = promptTemplate ? parseTemplate(promptTemplate) : null;
  const asksProblem = pieces?.some((piece) => typeof piece !== "string" && piece.slot === "prompt") ?? true;

  const body = (row: DataRow, no: RefuseRow): RowPrompt => {
    if (pieces !== null && !asksProblem)
      return { prompt: fill(pieces, row, null, no), reply: null, needsAnswer: false };
    const [column, value] = findProblem(row, promptColumn, no);
    const needsAnswer = !promptColumn && ANSWERED_COLUMNS.includes(column);
    const write = (text: string) => (pieces === null ? text : fill(pieces, row, text, no));
    if (!Array.isArray(value))
      return { prompt: write(checkText(column, value, no)), reply: null, needsAnswer };
    const messages = readMessages(value, no);
    // A prompt that ends in the assistant's words is to be continued; a recorded conversation ends with its answer.
    const { asked, reply } = /(^|\.)messages$/.test(column)
      ? splitReply(messages, no)
      : { asked: messages, reply: null };
    return { prompt: pieces === null ? asked : fillMessages(asked, write, no), reply, needsAnswer };
  };

  return (row, no) => {
    const read = body(row, no);
    if (!systemMessage && !asMessages) return read;
    const messages: Message[] =
      typeof read.prompt === "string" ? [{ role: "user", content: read.prompt }] : read.prompt;
    if (!systemMessage) return { ...read, prompt: messages };
    const rest = messages[0]?.role === "system" ? messages.slice(1) : messages;
    return { ...read, prompt: [{ role: "system", content: systemMessage }, ...rest] };
  };
}

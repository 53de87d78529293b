/**
 * The form, as the schema describes it: sections in the order of the stages, each with its settings, the basic ones first.
 * A setting that is added to the schema appears by itself; nothing is named here but the words of a few labels.
 */
import { describeFields, type FieldDescription } from "../../../config/describe.ts";
import type { StageName } from "../../state/records.ts";
import { type SliderScale, sliderScale } from "./slider.ts";

export type Control =
  | "number"
  | "choice"
  | "segments"
  | "flag"
  | "text"
  | "list"
  | "record"
  | "recipe"
  | "task";

/** A source as a reader follows it. */
export interface SourcePart {
  text: string;
  /** The abstract's page on arxiv.org, and nothing else. */
  url?: string;
}

export interface FormField {
  path: string;
  label: string;
  /** Schema's words, without the unit. */
  description: string;
  level: "basic" | "advanced";
  unit?: string;
  /** What it takes, in a few words; empty where the control shows it. */
  bounds: string;
  source: SourcePart[];
  control: Control;
  scale: SliderScale | null;
  field: FieldDescription;
  /** Heading of the group it stands in within its section, if that is not the section itself. */
  group: string;
}

export interface FormSection {
  id: string;
  title: string;
  description: string;
  stage: StageName | null;
  basic: FormField[];
  advanced: FormField[];
}

/** Where a first path segment belongs; what is not named gets a section of its own, without a stage. */
const PLACE: Record<string, { id: string; stage: StageName | null }> = {
  task: { id: "tasks", stage: "tasks" },
  tasks: { id: "tasks", stage: "tasks" },
  data: { id: "tasks", stage: "tasks" },
  generator: { id: "generator", stage: "generator" },
  verifier: { id: "verifier", stage: "verifier" },
  trainer: { id: "trainer", stage: "trainer" },
  weights: { id: "weights", stage: "weights" },
};

const TITLES: Record<string, string> = { run: "Run", tasks: "Tasks", gpu: "GPU" };
const DESCRIPTIONS: Record<string, string> = {
  run: "What it is called, how long it goes, and the policy it starts from",
  tasks: "Where problems come from: one task, a mixture of tasks, or a file",
};

/** Words that a key cannot say well by itself. */
const LABELS: Record<string, string> = {
  topK: "Top-k",
  topP: "Top-p",
  minP: "Min-p",
  epsilonLow: "Lower clip ε",
  epsilonHigh: "Upper clip ε",
  klBeta: "KL weight β",
  beta1: "Adam β₁",
  beta2: "Adam β₂",
  adamEps: "Adam ε",
  oldLogprobs: "Old log-probabilities",
  maxGradNorm: "Gradient norm limit",
  dtype: "Number format",
  maxMemoryMiB: "Memory limit",
  timeoutMs: "Time limit",
  extends: "Recipe",
  minibatches: "Mini-batches",
  microBatchTokens: "Micro-batch",
};

/** `maxRefillWaves` as `Max refill waves`. */
export function labelOf(key: string): string {
  if (Object.hasOwn(LABELS, key)) return LABELS[key];
  const words = key.replace(
    /([a-z0-9])([A-Z])/g,
    (_, end: string, start: string) => `${end} ${start.toLowerCase()}`,
  );
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Splits `arXiv:2506.10910 §2.1` into the id, which leads to its abstract, and the rest. */
export function sourceParts(source: string | undefined): SourcePart[] {
  if (source === undefined) return [];
  return source
    .split(/(arXiv:\d{4}\.\d{4,5})/)
    .filter((part) => part !== "")
    .map((part) => {
      const id = /^arXiv:(\d{4}\.\d{4,5})$/.exec(part)?.[1];
      return id === undefined ? { text: part } : { text: part, url: `https://arxiv.org/abs/${id}` };
    });
}

/** Numbers as a reader writes them: `1e-15` rather than fifteen zeros, thousands apart, as the rest of the page does. */
export function showNumber(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && size < 1e-4)
    return value
      .toExponential()
      .replace("e-", " × 10⁻")
      .replace(/⁻(\d+)$/, raised);
  return size >= 10000 ? value.toLocaleString("en-US") : String(value);
}

const raised = (_: string, digits: string) =>
  `⁻${[...digits].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)]).join("")}`;

function boundsOf({ kind, min, max, unit }: FieldDescription): string {
  if (min === undefined || max === undefined) return unit ?? "";
  const range = `${showNumber(min)} to ${showNumber(max)}`;
  if (unit === "share" || unit === "probability") return `${unit} from ${range}`;
  return `${kind === "list" ? "each " : ""}${range}${unit === undefined ? "" : ` ${unit}`}`;
}

const CONTROLS: Record<string, Control> = {
  number: "number",
  integer: "number",
  choice: "choice",
  switch: "flag",
  list: "list",
  record: "record",
};

/** Choices that fit side by side. */
const MOST_SEGMENTS = 3;

function controlOf({ kind, path, choices, derived }: FieldDescription): Control {
  if (kind === "choice" && choices && choices.length <= MOST_SEGMENTS && derived === undefined)
    return "segments";
  if (path === "extends") return "recipe";
  if (/^tasks?(\[\])?\.name$/.test(path)) return "task";
  return CONTROLS[kind] ?? "text";
}

function asField(field: FieldDescription): FormField {
  const { path, description, level, unit, source } = field;
  const parents = path.split(".");
  const key = parents.pop() as string;
  return {
    path,
    label: controlOf(field) === "task" ? "Task" : labelOf(key),
    description,
    level,
    unit,
    bounds: boundsOf(field),
    source: sourceParts(source),
    control: controlOf(field),
    scale: sliderScale(field),
    field,
    group: parents.length > 1 ? parents.join(".") : "",
  };
}

const firstWords = (description: string) => description.replace(/^[^:]{1,24}: /, "");

/** The whole form. @param all the schema's fields, groups included */
export function formSections(all: readonly FieldDescription[] = describeFields()): FormSection[] {
  const sections = new Map<string, FormSection>();
  for (const described of all) {
    if (described.kind === "group") continue;
    const segment = described.path.replace(/\[\]/g, "").split(".");
    const root = segment.length === 1 ? "run" : segment[0];
    const { id, stage } = PLACE[root] ?? { id: root, stage: null };
    let section = sections.get(id);
    if (!section) {
      const group = all.find((field) => field.path === root && field.kind === "group");
      const words = DESCRIPTIONS[id] ?? firstWords(group?.description ?? "");
      const description = words.charAt(0).toUpperCase() + words.slice(1);
      section = { id, stage, title: TITLES[id] ?? labelOf(id), description, basic: [], advanced: [] };
      sections.set(id, section);
    }
    section[described.level].push(asField(described));
  }
  return [...sections.values()];
}

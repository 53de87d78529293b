/** What can be done with the recipe as a whole: the command line that runs it, its file, what it will need. */
import { useEffect, useRef, useState } from "preact/hooks";
import { saveFile } from "../../session/save_file.ts";
import { draftRecipe } from "../../state/app.ts";
import { checked } from "./checking.ts";
import { commandLine } from "./cli_line.ts";
import { draftText, textProblem } from "./draft.ts";
import { estimate } from "./estimate.ts";
import { importText } from "./form_state.ts";

/** A file of the largest recipe is far smaller. */
const LARGEST_FILE = 1_000_000;
const SHOWN_MS = 2000;

function useEstimate(): string {
  const [line, setLine] = useState("");
  const recipe = checked.value?.recipe ?? null;
  useEffect(() => {
    let asked = true;
    if (recipe === null) {
      setLine("Parameters and memory are known once the recipe can be run.");
      return;
    }
    estimate(recipe).then(
      (found) => asked && setLine(found ?? "Parameters and memory are known once the model is there."),
      () => asked && setLine(""),
    );
    return () => {
      asked = false;
    };
  }, [recipe]);
  return line;
}

function exportText(): void {
  const { name } = draftRecipe.peek();
  const file = new Blob([`${draftText.peek()}\n`], { type: "application/json" });
  saveFile(file, `${typeof name === "string" && /^[\w.-]+$/.test(name) ? name : "recipe"}.json`);
}

function CopyButton({ text, disabled }: { text: string; disabled: boolean }) {
  const [state, setState] = useState<"" | "Copied" | "Not allowed">("");
  useEffect(() => {
    if (state === "") return;
    const timer = setTimeout(() => setState(""), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => setState("Copied"),
      () => setState("Not allowed"),
    );
  return (
    <button
      type="button"
      class="button settings-copy"
      disabled={disabled}
      onClick={copy}
      aria-label="Copy the command line"
    >
      <span aria-live="polite">{state === "" ? "Copy" : state}</span>
    </button>
  );
}

export function RecipeFile() {
  const picker = useRef<HTMLInputElement>(null);
  const [refused, setRefused] = useState("");
  const estimated = useEstimate();
  const command = commandLine(draftRecipe.value);
  const take = async (file: File | undefined) => {
    if (!file) return;
    if (file.size > LARGEST_FILE) {
      setRefused(
        `Cannot import ${file.name}: it holds ${file.size} bytes, a recipe fewer than ${LARGEST_FILE}.`,
      );
      return;
    }
    setRefused("");
    importText(file.name, await file.text());
  };
  return (
    <div class="settings-file">
      <p class="small soft num settings-estimate">{estimated}</p>
      <div class="settings-command">
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long line is scrolled with the keys */}
        <code class="settings-command-line" tabIndex={0}>
          <span class="visually-hidden">Command line of the same run: </span>
          {textProblem.value === null ? command : "—"}
        </code>
        <CopyButton text={command} disabled={textProblem.value !== null} />
      </div>
      <div class="row">
        <button type="button" class="button" onClick={() => picker.current?.click()}>
          Import…
        </button>
        <button type="button" class="button" onClick={exportText}>
          Export
        </button>
        <input
          ref={picker}
          type="file"
          accept=".json,application/json"
          class="visually-hidden"
          tabIndex={-1}
          aria-label="Recipe file"
          onChange={({ currentTarget }) => {
            take(currentTarget.files?.[0]);
            currentTarget.value = "";
          }}
        />
      </div>
      {refused !== "" && (
        <p class="settings-mistake" role="alert">
          {refused}
        </p>
      )}
    </div>
  );
}

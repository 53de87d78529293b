/** The recipe as JSON beside the form: what is typed stays as it is, and what is wrong with it is told by line. */
import { useEffect, useRef } from "preact/hooks";
import { excess, lineOf, lineRange, placesOf } from "../../../config/json_text.ts";
import { draftText, foundProblems, type Problem, takeBackText, textProblem, typeText } from "./draft.ts";
import { focusedPath } from "./form_state.ts";
import { Mistake } from "./Words.tsx";

interface Placed {
  problem: Problem;
  line: number | null;
}

function placed(): Placed[] {
  const places = placesOf(draftText.value);
  const broken = textProblem.value;
  if (broken) return [{ problem: broken, line: places.broken?.line ?? places.repeated?.line ?? null }];
  return foundProblems.value.map((problem) => {
    const lines = problem.paths.map((path) => lineOf(places, path)).filter((line) => line !== null);
    return { problem, line: lines[0] ?? null };
  });
}

export function JsonEditor() {
  const area = useRef<HTMLTextAreaElement>(null);
  const gutter = useRef<HTMLDivElement>(null);
  const text = draftText.value;
  const problems = placed();
  const wrongLines = new Set(problems.map(({ line }) => line));
  const focused = focusedPath.value;
  const markedLine = focused === null ? null : (placesOf(text).lines.get(focused) ?? null);
  // Numbers beside a text that is too long to be read would take longer to draw than the text itself.
  const count = excess(text) ? 0 : text.split("\n").length;
  useEffect(() => {
    // Written only where it differs: to write it anyway would take the caret and the undo steps along.
    if (area.current && area.current.value !== text) area.current.value = text;
  }, [text]);
  const goTo = (line: number) => {
    const [start, end] = lineRange(text, line);
    area.current?.focus();
    area.current?.setSelectionRange(start, end);
  };
  return (
    <div class="settings-json">
      <div class="settings-editor">
        <div class="settings-gutter num" ref={gutter} aria-hidden="true">
          {Array.from({ length: count }, (_, i) => (
            <span
              key={i}
              class={`settings-number-of-line ${wrongLines.has(i + 1) ? "wrong" : ""} ${markedLine === i + 1 ? "marked" : ""}`}
            >
              {i + 1}
            </span>
          ))}
        </div>
        <textarea
          ref={area}
          class="settings-text mono"
          aria-label="Recipe as JSON"
          aria-describedby="settings-json-state"
          aria-invalid={problems.length > 0 || undefined}
          defaultValue={text}
          spellcheck={false}
          autocomplete="off"
          autocapitalize="off"
          wrap="off"
          onInput={({ currentTarget }) => typeText(currentTarget.value)}
          onScroll={({ currentTarget }) => {
            if (gutter.current) gutter.current.scrollTop = currentTarget.scrollTop;
          }}
        />
      </div>
      <div id="settings-json-state" aria-live="polite" class="settings-state">
        {problems.length === 0 ? (
          <p class="settings-good small">This recipe can be run.</p>
        ) : (
          <ul>
            {problems.map(({ problem, line }) => (
              <li key={problem.message}>
                {line !== null && (
                  <button type="button" class="settings-line num" onClick={() => goTo(line)}>
                    Line {line}
                  </button>
                )}
                <Mistake problem={problem} />
              </li>
            ))}
          </ul>
        )}
        {textProblem.value !== null && (
          <p class="small settings-waits">
            The form waits meanwhile.
            <button type="button" class="settings-reset" onClick={takeBackText}>
              Take the text back
            </button>
          </p>
        )}
      </div>
    </div>
  );
}

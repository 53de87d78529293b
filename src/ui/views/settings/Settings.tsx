/** The next run's settings: a form made from the schema, and the same recipe as JSON beside it. */
import { Fragment } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Models } from "../../models/Models.tsx";
import { checked, startChecking } from "./checking.ts";
import { textProblem } from "./draft.ts";
import { type FormSection, formSections } from "./fields.ts";
import { countChanged, fieldValue, problemsByPath } from "./form_state.ts";
import { JsonEditor } from "./JsonEditor.tsx";
import { RecipeFile } from "./RecipeFile.tsx";
import { RecipePicker } from "./RecipePicker.tsx";
import { Section } from "./Section.tsx";
import { TurnPanel } from "./TurnPanel.tsx";
import "./controls.css";
import "./recipe.css";
import "./settings.css";

const SECTIONS: readonly FormSection[] = formSections();
/** The recipe to start from has its own place above the form. */
const fieldsOf = ({ basic, advanced }: FormSection) =>
  [...basic, ...advanced].filter(({ control }) => control !== "recipe");

/** Whether something under a section is wrong. */
function isWrong(section: FormSection): boolean {
  const roots = new Set(fieldsOf(section).map(({ path }) => path.replace("[]", "").split(".")[0]));
  return [...problemsByPath.value.keys()].some((path) => roots.has(path.split(".")[0]));
}

/** Buttons rather than links: the page's address holds its state. */
function Contents() {
  const goTo = (id: string) => {
    document.getElementById(`settings-${id}`)?.scrollIntoView({ block: "start" });
    document.getElementById(`settings-${id}-title`)?.focus({ preventScroll: true });
  };
  return (
    <nav class="settings-contents" aria-label="Groups of settings">
      {SECTIONS.map((section) => {
        const { id, title, stage } = section;
        const changed = countChanged(fieldsOf(section).map(({ path }) => path));
        const wrong = isWrong(section);
        return (
          <button
            key={id}
            type="button"
            class={wrong ? "wrong" : ""}
            style={stage === null ? undefined : { "--stage": `var(--${stage})` }}
            onClick={() => goTo(id)}
          >
            {title}
            {(wrong || changed > 0) && (
              <span class={`settings-count num ${wrong ? "wrong" : ""}`}>
                {wrong ? "!" : changed}
                <span class="visually-hidden">{wrong ? " has a mistake" : " changed"}</span>
              </span>
            )}
          </button>
        );
      })}
    </nav>
  );
}

function modelInForce(): string | undefined {
  const { own, inherited } = fieldValue("model");
  const model = own ?? inherited;
  return typeof model === "string" ? model : undefined;
}

type Side = "form" | "json";

export function Settings() {
  // On a narrow screen one side is shown at a time.
  const [side, setSide] = useState<Side>("form");
  useEffect(startChecking, []);
  const broken = textProblem.value !== null;
  return (
    <div class="settings" data-side={side}>
      <header class="settings-head">
        <h2>Settings of the next run</h2>
        <p class="soft">
          One recipe, as a form and as JSON: change either. The page and the command line run the same file.
        </p>
      </header>
      <TurnPanel />
      <section class="card" aria-label="Recipe to start from">
        <RecipePicker />
      </section>
      <div class="settings-sides settings-segments" role="radiogroup" aria-label="Show">
        {(["form", "json"] as const).map((each) => (
          <label key={each} class="settings-segment">
            <input type="radio" name="settings-side" checked={side === each} onChange={() => setSide(each)} />
            <span>{each === "form" ? "Form" : "JSON"}</span>
          </label>
        ))}
      </div>
      <div class="settings-columns">
        <div class="settings-form">
          <Contents />
          <fieldset class="settings-all" disabled={broken || checked.value === null}>
            <legend class="visually-hidden">Settings</legend>
            {SECTIONS.map((section) => (
              <Fragment key={section.id}>
                <Section section={section} />
                {section.id === "run" && <Models chosen={modelInForce()} />}
              </Fragment>
            ))}
          </fieldset>
        </div>
        <section class="card settings-side" aria-labelledby="settings-json-title">
          <h3 id="settings-json-title">The recipe</h3>
          <JsonEditor />
          <RecipeFile />
        </section>
      </div>
    </div>
  );
}

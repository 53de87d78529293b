/** What a draft starts from: one of the recipes beside the page. Choosing one takes its settings and drops the draft's own. */
import { useEffect, useState } from "preact/hooks";
import { pressable } from "../../parts/pressable.ts";
import { draftRecipe } from "../../state/app.ts";
import { pickRecipe, problemsByPath, resetAll, undo, undoable } from "./form_state.ts";
import { loadRecipe, RECIPE_NAMES } from "./recipes.ts";
import { Mistake, Words } from "./Words.tsx";

async function describe(name: string): Promise<string> {
  const { content } = await loadRecipe(name);
  const { description } = (typeof content === "string" ? JSON.parse(content) : content) as {
    description?: string;
  };
  return description ?? "";
}

/** The description of the chosen recipe; the last one stays until the next is there, so that nothing jumps. */
function useDescription(name: string | null): string {
  const [text, setText] = useState("");
  useEffect(() => {
    let asked = true;
    if (name === null) setText("A recipe of its own: where it says nothing, the schema's defaults hold.");
    else
      describe(name).then(
        (found) => asked && setText(found),
        () => asked && setText(""),
      );
    return () => {
      asked = false;
    };
  }, [name]);
  return text;
}

export function RecipePicker() {
  const { extends: parent, ...own } = draftRecipe.value;
  const known = typeof parent === "string" && (RECIPE_NAMES as readonly string[]).includes(parent);
  const description = useDescription(known ? (parent as string) : null);
  const problems = problemsByPath.value.get("extends") ?? [];
  const changed = Object.keys(own).length;
  return (
    <div class="settings-picker">
      <fieldset class="settings-recipes">
        <legend class="settings-label">Start from the recipe</legend>
        <div class="settings-segments wide">
          {RECIPE_NAMES.map((name) => (
            <label key={name} class="settings-segment">
              <input type="radio" name="recipe" checked={parent === name} onChange={() => pickRecipe(name)} />
              <span>{name}</span>
            </label>
          ))}
          {!known && (
            <label class="settings-segment">
              <input type="radio" name="recipe" checked readOnly />
              <span>{typeof parent === "string" ? parent : "none"}</span>
            </label>
          )}
        </div>
      </fieldset>
      <div class="row settings-actions">
        <button type="button" class="button" {...pressable(changed > 0, resetAll)}>
          Reset all
        </button>
        <button
          type="button"
          class="button"
          title={undoable.value === null ? undefined : `${undoable.value.what}: take it back`}
          {...pressable(undoable.value !== null, undo)}
        >
          Undo
        </button>
      </div>
      <p class="settings-description">
        <Words text={description} />
      </p>
      {problems.map((problem) => (
        <Mistake key={problem.message} problem={problem} />
      ))}
    </div>
  );
}

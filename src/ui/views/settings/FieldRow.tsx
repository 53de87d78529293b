/** One setting: what it is called and means, what it takes, where its default comes from, its control, and its reset. */
import { Control } from "./Control.tsx";
import { type FormField, showNumber } from "./fields.ts";
import { fieldValue, isChanged, problemsByPath, resetPath } from "./form_state.ts";
import { spellTyped } from "./typed_value.ts";
import { Mistake, Source, Words } from "./Words.tsx";

const ORIGINS = { recipe: "recipe", page: "on this page", schema: "default" } as const;

/** A default as a reader sees it. */
function standardOf(field: FormField, inherited: unknown): string {
  if (inherited === undefined) return field.field.derived ?? "required";
  if (typeof inherited === "number") return showNumber(inherited);
  if (typeof inherited === "boolean") return inherited ? "on" : "off";
  const text = spellTyped(field.field, inherited);
  return text === "" ? "empty" : text.length > 48 ? `${text.slice(0, 45)}…` : text;
}

export function FieldRow({ field, path = field.path }: { field: FormField; path?: string }) {
  const { inherited, from } = fieldValue(path);
  const problems = problemsByPath.value.get(path) ?? [];
  const id = `setting-${path.replace(/\./g, "-")}`;
  // What must be given has nothing to go back to.
  const changed = isChanged(path) && (inherited !== undefined || field.field.derived !== undefined);
  const standard = standardOf(field, inherited);
  const automatic = inherited === undefined && field.field.derived !== undefined;
  const isRadio = field.control === "segments";
  const Label = isRadio ? "span" : "label";
  return (
    <div
      class={`settings-field ${changed ? "changed" : ""} ${problems.length > 0 ? "wrong" : ""}`}
      data-path={path}
    >
      <div class="settings-words">
        <p class="settings-label">
          <Label {...(isRadio ? { id: `${id}-label` } : { for: id })}>{field.label}</Label>
          {changed && (
            <button
              type="button"
              class="settings-reset"
              aria-label={`Changed. Reset ${field.label} to ${automatic ? "automatic" : standard}`}
              onClick={() => resetPath(path)}
            >
              reset
            </button>
          )}
        </p>
        <div id={`${id}-help`}>
          <p class="settings-help">
            <Words text={field.description} />
          </p>
          <p class="settings-meta num">
            {field.bounds !== "" && <span>{field.bounds}</span>}
            <span>
              {automatic ? "automatic: " : inherited === undefined ? "" : `${ORIGINS[from]} `}
              <Words text={standard} />
            </span>
            {field.source.length > 0 && <Source parts={field.source} />}
          </p>
        </div>
      </div>
      <div class="settings-control">
        <Control
          field={field}
          path={path}
          id={id}
          invalid={problems.length > 0}
          describedBy={problems.length > 0 ? `${id}-wrong ${id}-help` : `${id}-help`}
        />
      </div>
      {problems.length > 0 && (
        <div class="settings-mistakes" id={`${id}-wrong`}>
          {problems.map((problem) => (
            <Mistake key={problem.message} problem={problem} />
          ))}
        </div>
      )}
    </div>
  );
}

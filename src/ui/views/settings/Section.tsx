/** One stage's settings: the basic ones, and the advanced ones folded. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { findField } from "../../../config/describe.ts";
import { FieldRow } from "./FieldRow.tsx";
import { type FormField, type FormSection, labelOf } from "./fields.ts";
import { chooseSource, countChanged, merged, problemsByPath, writeItems } from "./form_state.ts";
import { type SourceKind, sourceKind, valueAt } from "./values.ts";
import { Words } from "./Words.tsx";

const SOURCE_WORDS: Record<SourceKind, string> = { task: "task", tasks: "mixture", data: "file" };

/** Whether any of the fields has a mistake, in lists too. */
function hasMistake(fields: readonly FormField[]): boolean {
  const wrong = [...problemsByPath.value.keys()].map((path) => path.replace(/\.\d+(?=\.|$)/g, "[]"));
  return fields.some(({ path }) => wrong.includes(path));
}

/** Fields in the order of the schema, those of a group within the stage under its own words. */
function Rows({ fields }: { fields: readonly FormField[] }) {
  const groups = [...new Set(fields.map(({ group }) => group))];
  return (
    <>
      {groups.map((group) => {
        const rows = fields.filter((field) => field.group === group);
        const children = rows.map((field) => <FieldRow key={field.path} field={field} />);
        if (group === "") return <div key={group}>{children}</div>;
        return (
          <fieldset key={group} class="settings-group">
            <legend>{labelOf(group.slice(group.lastIndexOf(".") + 1))}</legend>
            <p class="settings-help">
              <Words text={findField(group)?.description ?? ""} />
            </p>
            {children}
          </fieldset>
        );
      })}
    </>
  );
}

function Folded({ fields }: { fields: readonly FormField[] }) {
  const [open, setOpen] = useState(false);
  if (fields.length === 0) return null;
  const changed = countChanged(fields.map(({ path }) => path));
  const wrong = hasMistake(fields);
  return (
    <details
      class="settings-folded"
      open={open || wrong}
      onToggle={({ currentTarget }) => setOpen(currentTarget.open)}
    >
      <summary>
        <span class="settings-more">
          {fields.length} advanced {fields.length === 1 ? "setting" : "settings"}
        </span>
        {changed > 0 && <span class="chip">{changed} changed</span>}
      </summary>
      {(open || wrong) && <Rows fields={fields} />}
    </details>
  );
}

/** A list of groups, such as the tasks of a mixture: each entry with its fields, to be added to and taken from. */
function Items({ path, fields }: { path: string; fields: readonly FormField[] }) {
  const held = valueAt(merged.value, path);
  const items: unknown[] = Array.isArray(held) ? held : [];
  return (
    <div class="settings-items">
      {items.map((_, i) => (
        <fieldset key={i} class="settings-group">
          <legend>Task {i + 1}</legend>
          {fields.map((field) => (
            <FieldRow key={field.path} field={field} path={field.path.replace("[]", `.${i}`)} />
          ))}
          <button
            type="button"
            class="settings-remove"
            disabled={items.length === 1}
            onClick={() =>
              writeItems(
                path,
                items.filter((_item, at) => at !== i),
              )
            }
          >
            Remove task {i + 1}
          </button>
        </fieldset>
      ))}
      <button
        type="button"
        class="button"
        onClick={() => writeItems(path, [...items, { name: "chain_sum", weight: 1 }])}
      >
        Add a task
      </button>
    </div>
  );
}

function Sources({ section }: { section: FormSection }) {
  const chosen = sourceKind(merged.value);
  const all = [...section.basic, ...section.advanced];
  const ofKind = (kind: SourceKind) =>
    all.filter(({ path }) => path.replace("[]", "").startsWith(`${kind}.`));
  return (
    <>
      <div class="settings-field">
        <div class="settings-words">
          <p class="settings-label" id="settings-source-label">
            Problems come from
          </p>
        </div>
        <div class="settings-control">
          <div class="settings-segments" role="radiogroup" aria-labelledby="settings-source-label">
            {(Object.keys(SOURCE_WORDS) as SourceKind[]).map((kind) => (
              <label key={kind} class="settings-segment">
                <input
                  type="radio"
                  name="settings-source"
                  checked={kind === chosen}
                  onChange={() => chooseSource(kind)}
                />
                <span>{SOURCE_WORDS[kind]}</span>
              </label>
            ))}
          </div>
        </div>
      </div>
      {chosen === "tasks" ? (
        <Items path="tasks" fields={ofKind("tasks")} />
      ) : (
        <>
          <Rows fields={ofKind(chosen).filter(({ level }) => level === "basic")} />
          <Folded key={chosen} fields={ofKind(chosen).filter(({ level }) => level === "advanced")} />
        </>
      )}
    </>
  );
}

/** The recipe to start from has its own place above the form. */
const inForm = ({ control }: FormField) => control !== "recipe";

export function Section({ section, children }: { section: FormSection; children?: ComponentChildren }) {
  const { id, title, description, stage, basic, advanced } = section;
  return (
    <section
      class="card settings-section"
      id={`settings-${id}`}
      aria-labelledby={`settings-${id}-title`}
      style={stage === null ? undefined : { "--stage": `var(--${stage})` }}
    >
      <header class="settings-section-head">
        <h3 id={`settings-${id}-title`} tabIndex={-1}>
          {title}
        </h3>
        {description !== title && (
          <p class="small soft">
            <Words text={description} />
          </p>
        )}
      </header>
      {children}
      {id === "tasks" ? (
        <Sources section={section} />
      ) : (
        <>
          <Rows fields={basic.filter(inForm)} />
          <Folded fields={advanced.filter(inForm)} />
        </>
      )}
    </section>
  );
}

/** The control of one setting, by the kind of value it takes. */
import { useEffect, useRef } from "preact/hooks";
import { TASKS } from "../../../tasks/registry.ts";
import { noteTyping } from "./draft.ts";
import type { FormField } from "./fields.ts";
import { fieldValue, focusedPath, setPath } from "./form_state.ts";
import { fromSlider, keyStep, SLIDER_STEPS, toSlider } from "./slider.ts";
import { readTyped, spellTyped } from "./typed_value.ts";

export interface ControlProps {
  field: FormField;
  /** The field's path with positions in lists filled in. */
  path: string;
  id: string;
  /** Ids of what describes it. */
  describedBy: string;
  invalid: boolean;
}

const AUTOMATIC = "";

/** What the control shows: the draft's word, else what is inherited. */
function useShown({ path }: ControlProps): { shown: unknown; derived: unknown; own: unknown } {
  const { own, inherited, derived } = fieldValue(path);
  return { shown: own ?? inherited, derived, own };
}

/**
 * A text control that the draft never rewrites under the hands: it follows the draft while it has no focus and nothing
 * half-typed in it.
 */
function TypedControl(props: ControlProps) {
  const { field, path, id, describedBy, invalid } = props;
  const { shown, derived } = useShown(props);
  const input = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  const halfTyped = useRef(false);
  const text = spellTyped(field.field, shown);
  const show = () => {
    if (input.current && input.current.value !== text) input.current.value = text;
  };
  useEffect(() => {
    if (document.activeElement === input.current) return;
    halfTyped.current = false;
    noteTyping(path, null);
    show();
  }, [text, path]);
  useEffect(() => () => noteTyping(path, null), [path]);
  const onInput = () => {
    if (!input.current) return;
    const typed = readTyped(field.field, input.current.value, input.current.validity?.badInput);
    halfTyped.current = typed.kind === "bad";
    noteTyping(path, typed.kind === "bad" ? { ...typed.problem, paths: [path] } : null);
    if (typed.kind !== "bad") setPath(path, typed.kind === "value" ? typed.value : undefined);
  };
  const onBlur = () => {
    focusedPath.value = null;
    if (!halfTyped.current) show();
  };
  const automatic = derived === undefined ? "automatic" : `automatic: ${spellTyped(field.field, derived)}`;
  const shared = {
    id,
    ref: input,
    onInput,
    onBlur,
    onFocus: () => {
      focusedPath.value = path;
    },
    "aria-describedby": describedBy,
    "aria-invalid": invalid || undefined,
    placeholder: field.field.derived === undefined ? spellTyped(field.field, shown) : automatic,
    spellcheck: false,
    autocomplete: "off",
    defaultValue: text,
  };
  if (field.control === "record" || field.field.path === "description") {
    return <textarea class="input settings-record" rows={2} {...shared} />;
  }
  if (field.control !== "number") return <input class="input" type="text" {...shared} />;
  const { min, max } = field.field;
  return (
    <input
      class="input settings-number num"
      type="number"
      inputMode="decimal"
      min={min}
      max={max}
      step={keyStep(field.field)}
      {...shared}
    />
  );
}

function Slider(props: ControlProps) {
  const { field, path } = props;
  const { shown, derived, own } = useShown(props);
  const scale = field.scale;
  if (scale === null) return null;
  const value = Number(shown ?? derived ?? scale.min);
  const position = toSlider(value, scale);
  return (
    <input
      type="range"
      class={`settings-slider ${own === undefined ? "inherited" : ""}`}
      min={0}
      max={SLIDER_STEPS}
      step={1}
      value={position}
      style={{ "--part": `${(position / SLIDER_STEPS) * 100}%` }}
      aria-label={`${field.label}, as a slider`}
      aria-valuetext={`${value}${field.unit === undefined ? "" : ` ${field.unit}`}`}
      onFocus={() => {
        focusedPath.value = path;
      }}
      onBlur={() => {
        focusedPath.value = null;
      }}
      onInput={({ currentTarget }) => setPath(path, fromSlider(Number(currentTarget.value), scale))}
    />
  );
}

/** Few words side by side. */
function Segments(props: ControlProps & { choices: readonly string[] }) {
  const { field, path, id, describedBy, choices } = props;
  const { shown } = useShown(props);
  return (
    <div
      class="settings-segments"
      role="radiogroup"
      aria-labelledby={`${id}-label`}
      aria-describedby={describedBy}
    >
      {choices.map((choice) => (
        <label key={choice} class="settings-segment">
          <input
            type="radio"
            name={id}
            checked={shown === choice}
            onChange={() => setPath(path, choice)}
            aria-label={`${field.label}: ${choice}`}
          />
          <span>{choice}</span>
        </label>
      ))}
    </div>
  );
}

function Select(props: ControlProps & { choices: readonly { name: string; title?: string }[] }) {
  const { field, path, id, describedBy, invalid, choices } = props;
  const { own, inherited, derived } = fieldValue(path);
  const shown = own ?? inherited;
  const odd = shown !== undefined && !choices.some(({ name }) => name === shown);
  const optional = field.field.derived !== undefined && inherited === undefined;
  return (
    <select
      class="input"
      id={id}
      value={shown === undefined ? AUTOMATIC : String(shown)}
      aria-describedby={describedBy}
      aria-invalid={invalid || undefined}
      onFocus={() => {
        focusedPath.value = path;
      }}
      onBlur={() => {
        focusedPath.value = null;
      }}
      onChange={({ currentTarget: { value } }) => setPath(path, value === AUTOMATIC ? undefined : value)}
    >
      {optional && (
        <option value={AUTOMATIC}>
          {derived === undefined ? "automatic" : `automatic: ${String(derived)}`}
        </option>
      )}
      {odd && <option value={String(shown)}>{String(shown)}</option>}
      {choices.map(({ name, title }) => (
        <option key={name} value={name} title={title}>
          {name}
        </option>
      ))}
    </select>
  );
}

function Switch(props: ControlProps) {
  const { path, id, describedBy } = props;
  const { shown } = useShown(props);
  return (
    <span class="settings-switch">
      <input
        type="checkbox"
        role="switch"
        id={id}
        checked={shown === true}
        aria-checked={shown === true}
        aria-describedby={describedBy}
        onChange={({ currentTarget }) => setPath(path, currentTarget.checked)}
      />
      <span aria-hidden="true">{shown === true ? "on" : "off"}</span>
    </span>
  );
}

/** Choices that fit side by side. */
const MOST_SEGMENTS = 3;

export function Control(props: ControlProps) {
  const { field, path } = props;
  const { choices = [], derived } = field.field;
  const { own } = fieldValue(path);
  if (field.control === "flag") return <Switch {...props} />;
  if (field.control === "task") {
    return <Select {...props} choices={TASKS.map(({ name, summary }) => ({ name, title: summary }))} />;
  }
  if (field.control === "choice") {
    const few = choices.length <= MOST_SEGMENTS && derived === undefined;
    const odd = own !== undefined && !choices.includes(own as string);
    return few && !odd ? (
      <Segments {...props} choices={choices} />
    ) : (
      <Select {...props} choices={choices.map((name) => ({ name }))} />
    );
  }
  return (
    <>
      <TypedControl {...props} />
      <Slider {...props} />
    </>
  );
}

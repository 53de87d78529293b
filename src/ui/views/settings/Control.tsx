/** The control of one setting, by the kind of value it takes. */
import { TASKS } from "../../../tasks/registry.ts";
import type { ControlProps } from "./control_props.ts";
import { fieldValue, focusedPath, setPath } from "./form_state.ts";
import { SLIDER_STEPS, slideFrom, toSlider } from "./slider.ts";
import { TypedControl } from "./TypedControl.tsx";

const AUTOMATIC = "";

/** What the control shows: the draft's word, else what is inherited. */
function useShown({ path }: ControlProps): { shown: unknown; derived: unknown; own: unknown } {
  const { own, inherited, derived } = fieldValue(path);
  return { shown: own ?? inherited, derived, own };
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
      onInput={({ currentTarget }) => setPath(path, slideFrom(value, Number(currentTarget.value), scale))}
    />
  );
}

/** Few words side by side. */
function Segments(props: ControlProps & { choices: readonly string[] }) {
  const { field, path, id, describedBy, choices } = props;
  const { shown } = useShown(props);
  // A word that is no choice is shown too: the mistake beside it is about it.
  const odd = shown !== undefined && !choices.includes(shown as string);
  return (
    <div
      class="settings-segments"
      role="radiogroup"
      aria-labelledby={`${id}-label`}
      aria-describedby={describedBy}
    >
      {(odd ? [...choices, String(shown)] : choices).map((choice) => (
        <label key={choice} class="settings-segment">
          <input
            type="radio"
            name={id}
            checked={String(shown) === choice}
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

export function Control(props: ControlProps) {
  const { choices = [] } = props.field.field;
  switch (props.field.control) {
    case "flag":
      return <Switch {...props} />;
    case "task":
      return <Select {...props} choices={TASKS.map(({ name, summary }) => ({ name, title: summary }))} />;
    case "segments":
      return <Segments {...props} choices={choices} />;
    case "choice":
      return <Select {...props} choices={choices.map((name) => ({ name }))} />;
    default:
      return (
        <>
          <TypedControl {...props} />
          <Slider {...props} />
        </>
      );
  }
}

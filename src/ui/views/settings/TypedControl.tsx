/** Controls that are typed into: numbers, text, lists, records. */
import { useEffect, useRef, useState } from "preact/hooks";
import { session } from "../../shell/session.ts";
import { dropped } from "../../state/model_access.ts";
import type { ControlProps } from "./control_props.ts";
import { noteTyping } from "./draft.ts";
import { fieldValue, focusedPath, setPath } from "./form_state.ts";
import { keyStep } from "./slider.ts";
import { readTyped, spellTyped } from "./typed_value.ts";

/** Names the models at hand while one is typed: asked for only when the field is gone to. */
function ModelInput({
  id,
  onFocus,
  shared,
}: {
  id: string;
  onFocus(): void;
  shared: Record<string, unknown>;
}) {
  const [stored, setStored] = useState<readonly string[]>([]);
  const look = async () => {
    onFocus();
    // Only a convenience: who cannot be asked leaves the names to be typed.
    const names = await session()
      .then((client) => client.listModels())
      .catch(() => []);
    setStored(names.filter(({ complete }) => complete).map(({ model }) => model));
  };
  return (
    <>
      <input class="input" type="text" {...shared} id={id} list={`${id}-known`} onFocus={look} />
      <datalist id={`${id}-known`}>
        <option value="builtin:chain-sum" />
        {stored.map((name) => (
          <option key={name} value={name} />
        ))}
        {Object.keys(dropped.value).map((name) => (
          <option key={name} value={`dropped:${name}`} />
        ))}
      </datalist>
    </>
  );
}

/**
 * A text control that the draft never rewrites under the hands: it follows the draft while it has no focus and nothing
 * half-typed in it.
 */
export function TypedControl(props: ControlProps) {
  const { field, path, id, describedBy, invalid } = props;
  const { own, inherited, derived } = fieldValue(path);
  const shown = own ?? inherited;
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
  if (field.path === "model") return <ModelInput id={id} onFocus={shared.onFocus} shared={shared} />;
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

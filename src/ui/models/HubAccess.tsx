/** Token and address of the hub: for gated models, and for hubs of one's own. Kept in memory alone. */
import { useEffect, useRef, useState } from "preact/hooks";
import { cleanAddress, hubAddress, hubToken } from "../state/model_access.ts";
import "./models.css";

const PUBLIC = "https://huggingface.co";

/** @param wanted a model needs what can be given here: it opens, and stays so while the answer to it is awaited */
export function HubAccess({ wanted = false }: { wanted?: boolean }) {
  const [open, setOpen] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (wanted) setOpen(true);
  }, [wanted]);
  useEffect(() => {
    if (open && wanted) field.current?.scrollIntoView({ block: "center" });
  }, [open, wanted]);
  const [wrong, setWrong] = useState(false);
  // Held here, so that nothing that is drawn meanwhile takes them away.
  const [token, setToken] = useState<string | null>(null);
  const [typed, setTyped] = useState<string | null>(null);
  const address = hubAddress.value || PUBLIC;
  return (
    <details class="models-access" open={open} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>
        {hubAddress.value
          ? `Hub at ${new URL(hubAddress.value).host}; access token`
          : "Gated model, or a hub of your own?"}
      </summary>
      <label>
        <span class="models-label">Access token</span>
        <input
          ref={field}
          class="input mono"
          type="password"
          autocomplete="off"
          spellcheck={false}
          value={token ?? hubToken.value}
          onInput={({ currentTarget }) => setToken(currentTarget.value)}
          onChange={({ currentTarget }) => {
            setToken(null);
            hubToken.value = currentTarget.value.trim();
          }}
        />
      </label>
      <label>
        <span class="models-label">Hub address</span>
        <input
          class="input mono"
          type="url"
          spellcheck={false}
          placeholder={PUBLIC}
          value={typed ?? hubAddress.value}
          onInput={({ currentTarget }) => setTyped(currentTarget.value)}
          aria-invalid={wrong || undefined}
          onChange={({ currentTarget: { value } }) => {
            const found = cleanAddress(value);
            const isWrong = value.trim() !== "" && found === null;
            setWrong(isWrong);
            setTyped(isWrong ? value : null);
            hubAddress.value = found ?? "";
          }}
        />
      </label>
      <p class="small soft">
        {wrong
          ? "That is no address: it begins with https:// or http://."
          : `The token is sent to ${new URL(address).host} alone and forgotten with this page: no run, address or storage holds it.`}
      </p>
    </details>
  );
}

/** What the page is, and the keys. */
import { Dialog } from "../parts/Dialog.tsx";
import { hidden } from "../state/app.ts";
import { overlay } from "./actions.ts";
import { shortcutsFor } from "./shortcuts.ts";
import "./help.css";

const close = () => {
  overlay.value = null;
};

export function Help() {
  return (
    <Dialog title="How to use this page" onClose={close}>
      <p>
        A small language model is given problems, writes several answers to each, and is made likelier to
        write those that earned more than the others. Nobody shows it how. The recording was made with the
        same program that <em>Train this here</em> runs on your own GPU; nothing leaves this page.
      </p>
      <table class="help-keys">
        <caption class="visually-hidden">Keys</caption>
        <tbody>
          {shortcutsFor(hidden.value).map(({ key, label, does }) => (
            <tr key={key}>
              <th scope="row">
                <kbd>{label}</kbd>
              </th>
              <td>{does}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="soft small">
        Teachers can hide parts of the page with the address: <code>?hide=controls,settings,chat</code>.
      </p>
      {!hidden.value.has("tour") && (
        <div class="dialog-actions">
          <button type="button" class="button" onClick={() => (overlay.value = "tour")}>
            Take the tour
          </button>
        </div>
      )}
    </Dialog>
  );
}

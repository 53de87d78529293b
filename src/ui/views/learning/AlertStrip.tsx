/** What the run calls for, above the charts. Its height is fixed while folded, so that nothing below jumps. */
import type { Alert } from "./alert_rule.ts";
import { LevelSign } from "./LevelSign.tsx";
import { alertsUnfolded } from "./view_state.ts";

/** Settings stand between backquotes. */
function Advice({ text }: { text: string }) {
  return (
    <span class="soft">
      {text.split("`").map((part, index) => (index % 2 === 1 ? <code key={part}>{part}</code> : part))}
    </span>
  );
}

function AlertLine({ alert }: { alert: Alert }) {
  return (
    <li>
      <LevelSign level={alert.level} />
      <p>
        {alert.message} <Advice text={alert.advice} />
      </p>
    </li>
  );
}

interface AlertStripProps {
  alerts: readonly Alert[];
  /** Said where there is nothing to mend. */
  quiet: string;
}

export function AlertStrip({ alerts, quiet }: AlertStripProps) {
  const isUnfolded = alertsUnfolded.value;
  const isSingle = alerts.length === 1;
  return (
    <section class="card learning-alerts" aria-label="Alerts" data-unfolded={isUnfolded}>
      {alerts.length === 0 ? (
        <p class="soft">{quiet}</p>
      ) : (
        <ul id="learning-alerts">
          {(isUnfolded ? alerts : alerts.slice(0, 1)).map((alert) => (
            <AlertLine key={alert.id} alert={alert} />
          ))}
        </ul>
      )}
      {alerts.length > 0 && (
        <button
          type="button"
          class={`button quiet small ${isSingle ? "single" : ""}`}
          aria-expanded={isUnfolded}
          aria-controls="learning-alerts"
          onClick={() => {
            alertsUnfolded.value = !isUnfolded;
          }}
        >
          {isUnfolded ? "Show less" : isSingle ? "Show more" : `Show all ${alerts.length}`}
        </button>
      )}
    </section>
  );
}

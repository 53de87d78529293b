/** How serious an alert is: by shape as well as by colour. */
import type { Alert } from "./alert_rule.ts";

export function LevelSign({ level, label }: { level: Alert["level"]; label?: string }) {
  return (
    <svg
      class={`learning-sign ${level}`}
      width="18"
      height="18"
      viewBox="0 0 18 18"
      role="img"
      aria-label={label ?? (level === "warn" ? "Warning" : "Note")}
    >
      {label && <title>{label}</title>}
      {level === "warn" ? (
        <path d="M9 1.8 17 16H1z" fill="currentColor" stroke="currentColor" stroke-linejoin="round" />
      ) : (
        <circle cx="9" cy="9" r="7.2" fill="none" stroke="currentColor" stroke-width="1.6" />
      )}
      <path
        d={level === "warn" ? "M9 6.4v4.4M9 12.9v1.2" : "M9 8.2v4.4M9 5.1v1.3"}
        stroke={level === "warn" ? "var(--card)" : "currentColor"}
        stroke-width="1.6"
        stroke-linecap="round"
      />
    </svg>
  );
}

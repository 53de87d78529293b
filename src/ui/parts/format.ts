/** Numbers as the page writes them. */

const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** `7,680` */
export function count(value: number): string {
  return grouped.format(Math.round(value));
}

/** `96 %`; the space does not break. */
export function percent(share: number): string {
  return `${Math.round(share * 100)}\u00a0%`;
}

/** `0.48`, and a true minus sign. */
export function decimal(value: number, digits = 2): string {
  return value.toFixed(digits).replace("-", "\u2212");
}

/** `48 s`, `2 min 5 s`, `1 h 20 min`: the two largest units. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole}\u00a0s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return whole % 60 ? `${minutes}\u00a0min ${whole % 60}\u00a0s` : `${minutes}\u00a0min`;
  const hours = Math.floor(minutes / 60);
  return minutes % 60 ? `${hours}\u00a0h ${minutes % 60}\u00a0min` : `${hours}\u00a0h`;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** `3.4 MiB`: memory, downloads and files alike, as the command line and `gpu.maxMemoryMiB` count them. */
export function byteText(value: number): string {
  let unit = 0;
  let scaled = value;
  while (scaled >= 1023.5 && unit < UNITS.length - 1) {
    scaled /= 1024;
    unit++;
  }
  return `${unit > 0 && scaled < 9.95 ? scaled.toFixed(1) : Math.round(scaled)}\u00a0${UNITS[unit]}`;
}

/** Errors come without their full stop. */
export const sentence = (text = "") => (text === "" || /[.!?]$/.test(text) ? text : `${text}.`);

/**
 * Cross-origin isolation where the web server does not send the headers: `public/service_worker.js` adds them from the
 * second load on, so the page is loaded once more at its first visit. `?isolate=no` leaves everything as it is.
 */

/** What the decision rests on; the browser's own objects in the page, plain values in tests. */
export interface IsolationState {
  isolated: boolean;
  secure: boolean;
  hasServiceWorkers: boolean;
  /** The page's query, such as `?isolate=no`. */
  query: string;
  /** Whether this tab was loaded again for isolation before. */
  tried: boolean;
}

export type IsolationPlan = "nothing" | "register" | "give-up";

/** nothing: isolated already, or not wanted; give-up: it cannot be had here, and the run goes without shared memory. */
export function isolationPlan({
  isolated,
  secure,
  hasServiceWorkers,
  query,
  tried,
}: IsolationState): IsolationPlan {
  if (isolated || new URLSearchParams(query).get("isolate") === "no") return "nothing";
  return secure && hasServiceWorkers && !tried ? "register" : "give-up";
}

const TRIED = "webgrpo isolation tried";

/** Registers the service worker where it is needed and loads the page once more under it. */
export async function isolate(): Promise<IsolationPlan> {
  try {
    const plan = isolationPlan({
      isolated: crossOriginIsolated,
      secure: isSecureContext,
      hasServiceWorkers: "serviceWorker" in navigator,
      query: location.search,
      // Throws where the site may store nothing; without that note the page could be loaded again for ever.
      tried: sessionStorage.getItem(TRIED) !== null,
    });
    if (crossOriginIsolated) sessionStorage.removeItem(TRIED);
    if (plan !== "register") return plan;
    sessionStorage.setItem(TRIED, "yes");
    await navigator.serviceWorker.register(new URL("service_worker.js", document.baseURI));
    await navigator.serviceWorker.ready;
    location.reload();
    return plan;
  } catch {
    // Storage or service workers are switched off in this browser: the loop runs without shared memory.
    return "give-up";
  }
}

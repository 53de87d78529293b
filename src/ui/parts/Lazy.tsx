/** A part whose code is fetched when it is first shown. */
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";

interface LazyProps {
  /** Fetches the component; a stable function, since it is asked once for each. */
  load(): Promise<ComponentType>;
  /** Keeps no room while it is fetched: for what lies over the page. */
  quiet?: boolean;
}

/** Shows a quiet placeholder until the code is there, and says so if it cannot be had. */
export function Lazy({ load, quiet = false }: LazyProps) {
  const [state, setState] = useState<{ Part?: ComponentType; error?: unknown }>({});
  useEffect(() => {
    let shown = true;
    setState({});
    load().then(
      (Part) => shown && setState({ Part }),
      (error: unknown) => shown && setState({ error }),
    );
    return () => {
      shown = false;
    };
  }, [load]);
  if (state.Part) return <state.Part />;
  if (state.error)
    return (
      <div class="card" role="alert">
        <p>This part of the page could not be loaded. Check the connection and reload.</p>
      </div>
    );
  return quiet ? null : <div class="lazy-room" aria-busy="true" />;
}

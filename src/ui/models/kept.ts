/** The models that this browser keeps, asked for again whenever one came or went. */
import { useEffect, useState } from "preact/hooks";
import type { KeptModel } from "../session/api.ts";
import { session } from "../shell/session.ts";
import { modelsChanged } from "../state/model_access.ts";

/** Null before they are known. */
export function useKeptModels(): readonly KeptModel[] | null {
  const [kept, setKept] = useState<readonly KeptModel[] | null>(null);
  const changed = modelsChanged.value;
  useEffect(() => {
    let wanted = true;
    session()
      .then((client) => client.listModels())
      // A browser without private files keeps none; the preflight card says so.
      .catch(() => [])
      .then((found) => wanted && setKept(found));
    return () => {
      wanted = false;
    };
  }, [changed]);
  return kept;
}

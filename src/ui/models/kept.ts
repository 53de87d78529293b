/** The models and data sets that this browser keeps, asked for again whenever one came or went. */
import { useEffect, useState } from "preact/hooks";
import type { KeptDataset, KeptModel } from "../session/api.ts";
import type { SessionClient } from "../session/client.ts";
import { session } from "../shell/session.ts";
import { modelsChanged } from "../state/model_access.ts";

/** Null before they are known. */
function useKept<T>(list: (client: SessionClient) => Promise<T[]>): readonly T[] | null {
  const [kept, setKept] = useState<readonly T[] | null>(null);
  const changed = modelsChanged.value;
  useEffect(() => {
    let wanted = true;
    session()
      .then(list)
      // A browser without private files keeps none; the preflight card says so.
      .catch(() => [])
      .then((found) => wanted && setKept(found));
    return () => {
      wanted = false;
    };
  }, [changed]);
  return kept;
}

export const useKeptModels = () => useKept<KeptModel>((client) => client.listModels());
export const useKeptDatasets = () => useKept<KeptDataset>((client) => client.listDatasets());

/** Lists, for every token id, the rows that hold it, ascending: `rows[offsets[v] … offsets[v + 1])`. */
export function embeddingPlan(ids: Uint32Array, vocab: number): { offsets: Uint32Array; rows: Uint32Array } {
  const offsets = new Uint32Array(vocab + 1);
  for (const id of ids) if (id < vocab) offsets[id + 1]++;
  for (let v = 0; v < vocab; v++) offsets[v + 1] += offsets[v];
  const next = offsets.slice();
  const rows = new Uint32Array(ids.length);
  for (let n = 0; n < ids.length; n++) if (ids[n] < vocab) rows[next[ids[n]]++] = n;
  return { offsets, rows };
}

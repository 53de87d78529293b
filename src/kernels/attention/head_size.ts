/** What the attention kernels share: one kernel per head size, and the shapes they refuse. */

/**
 * The kernels of one shader by head size D, each made once.
 * The function made so throws a RangeError unless D is a multiple of 4 between 4 and 256.
 */
export function byHeadDim<K>(make: (headDim: number) => K): (headDim: number) => K {
  const made = new Map<number, K>();
  return (headDim) => {
    let kernel = made.get(headDim);
    if (!kernel) {
      checkQuads("attention", headDim);
      kernel = make(headDim);
      made.set(headDim, kernel);
    }
    return kernel;
  };
}

/** @throws RangeError unless the head size is a multiple of 4 between 4 and 256 */
export function checkQuads(label: string, headDim: number): void {
  if (!(headDim >= 4 && headDim <= 256 && headDim % 4 === 0)) {
    throw new RangeError(
      `Cannot run ${label} for heads of ${headDim}: a multiple of 4 between 4 and 256 is needed`,
    );
  }
}

/** @throws RangeError unless every key head serves as many query heads */
export function checkGroups(dims: { heads: number; kv_heads: number }): void {
  if (!(dims.kv_heads >= 1 && dims.heads % dims.kv_heads === 0)) {
    throw new RangeError(
      `Cannot run attention with ${dims.heads} query heads over ${dims.kv_heads} key heads: a whole number of query heads per key head is needed`,
    );
  }
}

/** @throws RangeError unless the heads are of size D and every key head serves as many query heads */
export function checkHeads(dims: { heads: number; kv_heads: number; head_dim: number }, D: number): void {
  if (dims.head_dim !== D)
    throw new RangeError(`Cannot run the attention kernel for heads of ${D} on heads of ${dims.head_dim}`);
  checkGroups(dims);
}

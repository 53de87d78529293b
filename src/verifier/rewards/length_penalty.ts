/** The soft length penalty of DAPO (arXiv:2503.14476 eq. 13), which Magistral scales by a tenth (arXiv:2506.10910 eq. 1). */

/**
 * 0 up to max − cache tokens, then falling linearly to −1 at max tokens and beyond; a cache of 0 switches it off.
 * The completion's length counts its end-of-sequence token.
 */
export function softPenalty(length: number, max: number, cache: number): number {
  if (cache <= 0 || length <= max - cache) return 0;
  return length > max ? -1 : -(length - max + cache) / cache;
}

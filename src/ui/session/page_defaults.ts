/** Where a recipe leaves it open, a page does some things otherwise than the command line. */

/** A tab may be closed at any moment, so a page saves more often. */
export const PAGE_DEFAULTS = { checkpoint: { every: 5 } } as const;

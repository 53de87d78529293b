/**
 * Exact rational numbers on BigInt, always in lowest terms with a positive denominator. Every operation that could
 * grow without bound answers null once a part would pass `MAX_BITS`, so that no input can hang the caller.
 */

export interface Rational {
  readonly top: bigint;
  /** Always positive. */
  readonly bottom: bigint;
}

/** Parts longer than this are given up. */
export const MAX_BITS = 16_384;
const LIMIT = 1n << BigInt(MAX_BITS);

export const ZERO: Rational = { top: 0n, bottom: 1n };
export const ONE: Rational = { top: 1n, bottom: 1n };

const magnitude = (n: bigint): bigint => (n < 0n ? -n : n);

/** Greatest common divisor, never negative. */
export function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  let [x, y] = [magnitude(a), magnitude(b)];
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

/** top / bottom in lowest terms; null for a zero denominator or parts beyond the size limit. */
export function rational(top: bigint, bottom: bigint = 1n): Rational | null {
  if (bottom === 0n || magnitude(top) > LIMIT || magnitude(bottom) > LIMIT) return null;
  const divisor = greatestCommonDivisor(top, bottom);
  const sign = bottom < 0n ? -1n : 1n;
  return divisor === 0n ? ZERO : { top: (sign * top) / divisor, bottom: (sign * bottom) / divisor };
}

/** A decimal numeral such as `12`, `.5`, `1.25` or `3e-4`; null where it is none or its exponent passes ±4000. */
export function parseDecimal(text: string): Rational | null {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,5}))?$/.exec(text);
  if (!match || text.length > 4000) return null;
  const [, sign, whole, fraction = "", exponentText = "0"] = match;
  if (whole === "" && fraction === "") return null;
  const exponent = Number(exponentText) - fraction.length;
  if (Math.abs(exponent) > 4000) return null;
  const digits = BigInt(sign + (whole + fraction || "0"));
  return exponent >= 0
    ? rational(digits * 10n ** BigInt(exponent))
    : rational(digits, 10n ** BigInt(-exponent));
}

export const add = (a: Rational, b: Rational): Rational | null =>
  rational(a.top * b.bottom + b.top * a.bottom, a.bottom * b.bottom);
export const subtract = (a: Rational, b: Rational): Rational | null =>
  rational(a.top * b.bottom - b.top * a.bottom, a.bottom * b.bottom);
export const multiply = (a: Rational, b: Rational): Rational | null =>
  rational(a.top * b.top, a.bottom * b.bottom);
export const divide = (a: Rational, b: Rational): Rational | null =>
  rational(a.top * b.bottom, a.bottom * b.top);
export const equal = (a: Rational, b: Rational): boolean => a.top === b.top && a.bottom === b.bottom;
/** Negative, zero or positive as a is less than, equal to or greater than b. */
export const compareRationals = (a: Rational, b: Rational): number => {
  const difference = a.top * b.bottom - b.top * a.bottom;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
};

/** The largest integer not above the value. */
export function floor(value: Rational): bigint {
  const quotient = value.top / value.bottom;
  return value.top % value.bottom < 0n ? quotient - 1n : quotient;
}

function integerRoot(n: bigint, degree: bigint): bigint | null {
  if (n < 2n) return n;
  let guess = 1n << (BigInt(n.toString(2).length) / degree + 1n);
  for (;;) {
    const next = ((degree - 1n) * guess + n / guess ** (degree - 1n)) / degree;
    if (next >= guess) return guess ** degree === n ? guess : null;
    guess = next;
  }
}

/** base^exponent where that is rational; null where it is irrational, undefined or beyond the size limit. */
export function power(base: Rational, exponent: Rational): Rational | null {
  if (exponent.bottom !== 1n) {
    if (exponent.bottom > 64n || base.top < 0n) return null;
    const top = integerRoot(base.top, exponent.bottom);
    const bottom = integerRoot(base.bottom, exponent.bottom);
    if (top === null || bottom === null) return null;
    return power({ top, bottom }, { top: exponent.top, bottom: 1n });
  }
  const times = magnitude(exponent.top);
  if (base.top === 0n) return exponent.top > 0n ? ZERO : null;
  if (base.bottom === 1n && magnitude(base.top) === 1n) {
    return base.top === 1n || times % 2n === 0n ? ONE : { top: -1n, bottom: 1n };
  }
  const bits = Math.max(magnitude(base.top).toString(16).length, base.bottom.toString(16).length) * 4;
  if (times * BigInt(bits) > BigInt(MAX_BITS)) return null;
  const raised: Rational = { top: base.top ** times, bottom: base.bottom ** times };
  return exponent.top >= 0n ? raised : rational(raised.bottom, raised.top);
}

/** The nearest double; parts too long for a double are scaled first. */
export function toNumber(value: Rational): number {
  const excess = Math.max(value.top.toString(16).length, value.bottom.toString(16).length) * 4 - 1000;
  if (excess <= 0) return Number(value.top) / Number(value.bottom);
  const digits = 10n ** 30n;
  const scaled = (value.top * digits) / value.bottom;
  return Number(scaled) / 1e30;
}

/** Complex numbers in double precision, for evaluating expressions at sample points. Branches are the principal ones. */

export interface Complex {
  readonly re: number;
  readonly im: number;
}

export const complex = (re: number, im = 0): Complex => ({ re, im });
export const add = (a: Complex, b: Complex): Complex => complex(a.re + b.re, a.im + b.im);
export const subtract = (a: Complex, b: Complex): Complex => complex(a.re - b.re, a.im - b.im);
export const multiply = (a: Complex, b: Complex): Complex =>
  a.im === 0 && b.im === 0
    ? complex(a.re * b.re)
    : complex(a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re);
export const scale = (a: Complex, factor: number): Complex => complex(a.re * factor, a.im * factor);
export const modulus = (a: Complex): number => Math.hypot(a.re, a.im);
export const isFiniteValue = (a: Complex): boolean => Number.isFinite(a.re) && Number.isFinite(a.im);

export function divide(a: Complex, b: Complex): Complex {
  if (b.im === 0) return complex(a.re / b.re, a.im === 0 ? 0 : a.im / b.re);
  const norm = b.re * b.re + b.im * b.im;
  return complex((a.re * b.re + a.im * b.im) / norm, (a.im * b.re - a.re * b.im) / norm);
}

export const exponential = (a: Complex): Complex => {
  const size = Math.exp(a.re);
  return a.im === 0 ? complex(size) : complex(size * Math.cos(a.im), size * Math.sin(a.im));
};

export const logarithm = (a: Complex): Complex =>
  a.im === 0 && a.re > 0 ? complex(Math.log(a.re)) : complex(Math.log(modulus(a)), Math.atan2(a.im, a.re));

export function power(base: Complex, exponent: Complex): Complex {
  if (base.im === 0 && exponent.im === 0 && (base.re >= 0 || Number.isInteger(exponent.re))) {
    return complex(base.re ** exponent.re);
  }
  if (base.re === 0 && base.im === 0) return complex(exponent.re > 0 ? 0 : Number.NaN);
  if (exponent.im === 0 && Number.isInteger(exponent.re) && Math.abs(exponent.re) <= 64) {
    let product = complex(1);
    for (let k = 0; k < Math.abs(exponent.re); k++) product = multiply(product, base);
    return exponent.re < 0 ? divide(complex(1), product) : product;
  }
  return exponential(multiply(exponent, logarithm(base)));
}

export const squareRoot = (a: Complex): Complex =>
  a.im === 0 && a.re >= 0 ? complex(Math.sqrt(a.re)) : power(a, complex(0.5));

const I = complex(0, 1);
const timesI = (a: Complex): Complex => complex(-a.im, a.re);
const one = complex(1);
const half = (a: Complex): Complex => scale(a, 0.5);
const negate = (a: Complex): Complex => scale(a, -1);

const sinh = (a: Complex): Complex =>
  a.im === 0 ? complex(Math.sinh(a.re)) : half(subtract(exponential(a), exponential(negate(a))));
const cosh = (a: Complex): Complex =>
  a.im === 0 ? complex(Math.cosh(a.re)) : half(add(exponential(a), exponential(negate(a))));
const sin = (a: Complex): Complex => (a.im === 0 ? complex(Math.sin(a.re)) : negate(timesI(sinh(timesI(a)))));
const cos = (a: Complex): Complex => (a.im === 0 ? complex(Math.cos(a.re)) : cosh(timesI(a)));
const tan = (a: Complex): Complex => divide(sin(a), cos(a));
const tanh = (a: Complex): Complex => divide(sinh(a), cosh(a));
const arcsinh = (a: Complex): Complex => logarithm(add(a, squareRoot(add(multiply(a, a), one))));
const arccosh = (a: Complex): Complex =>
  logarithm(add(a, multiply(squareRoot(add(a, one)), squareRoot(subtract(a, one)))));
const arctanh = (a: Complex): Complex => half(logarithm(divide(add(one, a), subtract(one, a))));
const arcsin = (a: Complex): Complex =>
  a.im === 0 && Math.abs(a.re) <= 1 ? complex(Math.asin(a.re)) : negate(timesI(arcsinh(timesI(a))));
const arccos = (a: Complex): Complex => subtract(complex(Math.PI / 2), arcsin(a));
const arctan = (a: Complex): Complex =>
  a.im === 0 ? complex(Math.atan(a.re)) : negate(timesI(arctanh(timesI(a))));
const reciprocal = (a: Complex): Complex => divide(one, a);

/** Functions of one complex argument, by the name the parser gives them. */
export const FUNCTIONS: Readonly<Record<string, (a: Complex) => Complex>> = {
  sin,
  cos,
  tan,
  sinh,
  cosh,
  tanh,
  arcsin,
  arccos,
  arctan,
  arcsinh,
  arccosh,
  arctanh,
  cot: (a) => reciprocal(tan(a)),
  sec: (a) => reciprocal(cos(a)),
  csc: (a) => reciprocal(sin(a)),
  coth: (a) => reciprocal(tanh(a)),
  sech: (a) => reciprocal(cosh(a)),
  csch: (a) => reciprocal(sinh(a)),
  arccot: (a) => arctan(reciprocal(a)),
  arcsec: (a) => arccos(reciprocal(a)),
  arccsc: (a) => arcsin(reciprocal(a)),
  exp: exponential,
  ln: logarithm,
  sqrt: squareRoot,
  abs: (a) => complex(modulus(a)),
  conjugate: (a) => complex(a.re, -a.im),
};

/** The imaginary unit. */
export const IMAGINARY = I;

const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

/** The gamma function of a real argument (Lanczos, about 1e-13 relative). */
export function gamma(x: number): number {
  if (x < 0.5) return Math.PI / (Math.sin(Math.PI * x) * gamma(1 - x));
  const shifted = x - 1;
  const t = shifted + 7.5;
  const series = LANCZOS.reduce((sum, c, k) => (k === 0 ? c : sum + c / (shifted + k)), 0);
  return Math.sqrt(2 * Math.PI) * t ** (shifted + 0.5) * Math.exp(-t) * series;
}

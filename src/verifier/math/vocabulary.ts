/** Names the reader of answers knows: functions, commands without meaning, commands left to computer algebra. */

export const FUNCTION_NAMES: ReadonlySet<string> = new Set(
  (
    "sin cos tan cot sec csc sinh cosh tanh coth sech csch arcsin arccos arctan arccot arcsec arccsc " +
    "arcsinh arccosh arctanh ln lg exp min max gcd lcm floor ceil abs conjugate sgn log " +
    "arcosh arsinh artanh mod"
  ).split(" "),
);

/** Other spellings of inverse hyperbolic functions. */
export const HYPERBOLIC_SHORT: Readonly<Record<string, string>> = {
  arsinh: "arcsinh",
  arcosh: "arccosh",
  artanh: "arctanh",
  asinh: "arcsinh",
  acosh: "arccosh",
  atanh: "arctanh",
  asin: "arcsin",
  acos: "arccos",
  atan: "arctan",
};

/** Commands that only change how something looks. */
export const IGNORED_COMMANDS: ReadonlySet<string> = new Set(
  "displaystyle textstyle mathrm mathbf mathit mathsf mathbb mathcal boldsymbol bf rm limits nolimits boxed fbox".split(
    " ",
  ),
);

/** Commands whose meaning only a computer algebra system can settle. */
export const OPAQUE_COMMANDS: ReadonlySet<string> = new Set(
  "int iint iiint oint lim limsup liminf partial nabla mathop forall exists".split(" "),
);

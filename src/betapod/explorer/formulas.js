/** Formulas of the model as the page computes them: nested lists of operations, by the values of names. */

const logistic = (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));
const softplus = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** Return the v with v + ln v = x. */
function wrightOmega(x) {
  let w = x > 1 ? Math.log(x) : x;
  for (let k = 0; k < 60; k += 1) {
    const step = (w + Math.exp(w) - x) / (1 + Math.exp(w));
    w -= step;
    if (Math.abs(step) <= 1e-16 * Math.abs(w)) break;
  }
  return Math.exp(w);
}

const MODEL_FUNCTIONS = {
  exp: Math.exp, log: Math.log, sqrt: Math.sqrt, cbrt: Math.cbrt, tanh: Math.tanh, sin: Math.sin, cos: Math.cos,
  abs: Math.abs, min: Math.min, max: Math.max, logistic, wright_omega: wrightOmega,
  logit: (p) => Math.log(p / (1 - p)),
  softplus: (x, k) => k * softplus(x / k),
  softplus0: (x, x0, k, xr) => k * softplus((x - x0) / k) - k * softplus((xr - x0) / k),
  hill: (x, h, m) => logistic(m * Math.log(x / h)),
  smooth_min: (a, b, theta) => (2 * a * b) / (a + b + Math.sqrt((a + b) ** 2 - 4 * theta * a * b)),
  lambert_w: (x) => wrightOmega(Math.log(x)),
};

const truth = (is) => (is ? 1 : 0);
const OPERATIONS = {
  "+": (a, b) => a + b, "-": (a, b) => a - b, "*": (a, b) => a * b, "/": (a, b) => a / b, "^": (a, b) => a ** b, neg: (a) => -a,
  "<": (a, b) => truth(a < b), "<=": (a, b) => truth(a <= b), ">": (a, b) => truth(a > b), ">=": (a, b) => truth(a >= b),
  "==": (a, b) => truth(a === b), "!=": (a, b) => truth(a !== b),
  and: (a, b) => truth(a && b), or: (a, b) => truth(a || b), xor: (a, b) => truth(Boolean(a) !== Boolean(b)), not: (a) => truth(!a),
};

/**
 * Return the value of a formula.
 *
 * @param node      a number, a name, or [operation, ...]
 * @param valueOf   gives the value of a name
 * @param functions name -> {arguments, formula} of those that the model itself defines
 */
export function formulaValue(node, valueOf, functions) {
  if (typeof node === "number") return node;
  if (typeof node === "string") return valueOf(node);
  const [operation, ...rest] = node;
  if (operation !== "call") return OPERATIONS[operation](...rest.map((part) => formulaValue(part, valueOf, functions)));
  const [name, ...parts] = rest, own = functions[name];
  if (name === "piecewise") {
    for (let k = 0; k + 1 < parts.length; k += 2) if (formulaValue(parts[k + 1], valueOf, functions)) return formulaValue(parts[k], valueOf, functions);
    return formulaValue(parts[parts.length - 1], valueOf, functions);
  }
  const values = parts.map((part) => formulaValue(part, valueOf, functions));
  if (!own) return MODEL_FUNCTIONS[name](...values);
  const local = new Map(own.arguments.map((argument, k) => [argument, values[k]]));
  return formulaValue(own.formula, (inner) => (local.has(inner) ? local.get(inner) : valueOf(inner)), functions);
}

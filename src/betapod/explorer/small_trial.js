/** A small trial in the page: people are enrolled again and again from those that were simulated, measured with error, and compared. */

import { seeded } from "./attribution.js";

/** Return standard normal numbers, the same for the same seed. */
function normals(seed) {
  const random = seeded(seed);
  let spare = null;
  return () => {
    if (spare !== null) {
      const kept = spare;
      spare = null;
      return kept;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - random())), angle = 2 * Math.PI * random();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}

/** Return the value that a t of so many degrees of freedom exceeds in one of forty cases (Cornish and Fisher's expansion). */
export function criticalT(freedom) {
  const z = 1.959963984540054, v = freedom;
  return z + (z ** 3 + z) / (4 * v) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * v ** 2) + (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * v ** 3);
}

const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
const variance = (values) => {
  const centre = mean(values);
  return values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1);
};

/** Return the difference of means of two groups, and whether it is significant at 5 % (Welch's test, two-sided). */
export function compared(treated, control) {
  const a = variance(treated) / treated.length, b = variance(control) / control.length, error = Math.sqrt(a + b);
  const freedom = (a + b) ** 2 / (a ** 2 / (treated.length - 1) + b ** 2 / (control.length - 1)), estimate = mean(treated) - mean(control);
  return { estimate, error, significant: error > 0 && Math.abs(estimate) > criticalT(freedom) * error };
}

/**
 * Return what trials find: one after the other, each with people of its own.
 *
 * @param arms   {control: [[start, end]], treated: [[start, end]]}: true values of the same people under both
 * @param error  SD of one measurement as a share of the value
 * @param log    whether changes are ratios
 * @param size   people in each arm
 * @param trials how many
 */
export function simulatedTrials({ arms, error, log, size, trials, seed = 1 }) {
  const random = seeded(seed + size), normal = normals(seed + 31 * size), people = arms.control.length;
  const change = ([start, end]) => {
    const [before, after] = [start, end].map((value) => value * Math.exp(error * normal()));
    return log ? Math.log(after / before) : after - before;
  };
  const arm = (courses) => Array.from({ length: size }, () => change(courses[Math.floor(random() * people)]));
  const results = Array.from({ length: trials }, () => compared(arm(arms.treated), arm(arms.control)));
  const estimates = results.map((one) => one.estimate).sort((a, b) => a - b), at = (share) => estimates[Math.min(trials - 1, Math.floor(share * trials))];
  return { estimates, median: at(0.5), low: at(0.025), high: at(0.975), power: results.filter((one) => one.significant).length / trials };
}

/** Return the effect that nobody has to measure: the mean difference of the changes of the same people. */
export function trueEffect({ arms, log }) {
  const change = ([start, end]) => (log ? Math.log(end / start) : end - start);
  return mean(arms.treated.map((course, i) => change(course) - change(arms.control[i])));
}

const erf = (x) => {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const y = 1 - ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t * Math.exp(-x * x);
  return x >= 0 ? y : -y;
};
const below = (z) => 0.5 * (1 + erf(z / Math.SQRT2));

/** Return the power of another size, by the normal approximation: chance shrinks with the root of the number of patients. */
export function powerOfSize(effect, sd, patients, wanted) {
  const z = Math.abs(effect) / (sd * Math.sqrt(patients / wanted));
  return below(z - 1.959963984540054) + below(-z - 1.959963984540054);
}

/** What is not known of the courses of one person: of parameters, by draws of the fit, and of one measurement. */

import { drawsOfPage, later, moves, RUN_IN, strengthened, valuesUnder } from "./draws.js";
import { DATA } from "./parts.js";
import { DAYS, drugOf, evenTimes, givenBy, runOf } from "./plans.js";
import { quantilesOf } from "./people.js";
import { pool } from "./pool.js";

/** SDs that hold 9 of 10. */
const NINTH = 1.645;

/** Return what the model is asked for a person under a plan and a set of parameters, who come to rest under it first. */
function askedUnder(person, plan, years, outputs, set) {
  const given = givenBy(person, plan, set ? (label) => strengthened(drugOf(label), set.drugs) : drugOf), wait = RUN_IN * DAYS;
  const drawn = Object.fromEntries(Object.entries(valuesUnder(set, plan.cells && plan.scenario)).filter(([name]) => !(name in person.values)));
  const options = runOf(person, given, evenTimes(years).map((day) => day + wait), outputs);
  return { ...options, values: { ...options.values, ...drawn }, doses: later(options.doses, wait), switches: later(options.switches, wait) };
}

/**
 * Return by how much every set of parameters moves the courses of every plan.
 *
 * @returns [plan][set][output] -> course; none for a plan that cannot be given
 */
export async function movedCourses(person, plans, years, outputs, wanted) {
  const { sets } = await drawsOfPage();
  const courses = async (plan, set) => {
    const result = await pool().run(askedUnder(person, plan, years, outputs, set), undefined, wanted);
    return outputs.map((name) => Array.from(result.values(name)));
  };
  return Promise.all(plans.map(async (plan) => {
    try {
      const [tables, ...under] = await Promise.all([null, ...sets].map((set) => courses(plan, set)));
      return under.map((own) => own.map((course, column) => moves(course, tables[column])));
    } catch {
      return []; // the view says why the plan cannot be given
    }
  }));
}

/** Return the ends between which 9 of 10 sets lie, around a course; moves of another plan are taken off where a difference is drawn. */
export function parameterBand(course, moved, column, before) {
  if (!moved?.length) return null;
  const at = (i) => moved.map((own, set) => own[column][i] - (before ? before[set][column][i] : 0)).filter(Number.isFinite);
  const spans = Array.from(course, (_, i) => { const values = at(i); return values.length ? quantilesOf(values, [0.05, 0.95]) : [NaN, NaN]; });
  return { low: spans.map(([low], i) => course[i] + low), high: spans.map(([, high], i) => course[i] + high) };
}

/** Return the ends between which 9 of 10 measurements lie: of a course, or of a difference from another. */
export function measurementBand(name, course, before) {
  const error = DATA.errors[name];
  if (!error) return null;
  if (!before) return { low: Array.from(course, (value) => value * Math.exp(-NINTH * error)), high: Array.from(course, (value) => value * Math.exp(NINTH * error)) };
  const half = Array.from(course, (value, i) => NINTH * error * Math.hypot(before[i], before[i] + value));
  return { low: half.map((size, i) => course[i] - size), high: half.map((size, i) => course[i] + size) };
}

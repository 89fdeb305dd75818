/** What becomes of people who are like somebody, under one option: courses, kidney failure, acute injuries, deaths. */

import { aliveChances, curveAt } from "./hazards.js";
import { DAYS } from "./plans.js";
import { quantilesOf } from "./people.js";

/** Years that people are followed, times in them, and what is reported of the model. */
export const LAB_YEARS = 5, LAB_POINTS = 11, LAB_OUTPUTS = ["eGFR", "UACR", "HbA1c"];
export const labTimes = Array.from({ length: LAB_POINTS }, (_, k) => (k * LAB_YEARS) / (LAB_POINTS - 1));

/**
 * Return what becomes of the people under an option; kidney failure counts as the lowest eGFR.
 *
 * @param people of the page
 * @param plan   what is given
 * @param result of the simulation
 * @param drawn  [{row, copies}]
 * @param given  as of `populationRun`
 */
export function outcomeOf(people, plan, result, drawn, given) {
  const everybody = drawn.flatMap(({ copies }, i) => new Array(copies).fill(i)), last = LAB_POINTS - 1;
  const failedYear = drawn.map((_, i) => (result.people[i].status === "ended" ? result.people[i].endedAt / DAYS : Infinity));
  const alive = drawn.map(({ row }, i) => aliveChances(people, row, given.classes[i], labTimes, { eGFR: result.values("eGFR", i), UACR: result.values("UACR", i) }, failedYear[i]));
  const failed = everybody.map((i) => failedYear[i]), three = Math.round((3 / LAB_YEARS) * last);
  const course = (name) => everybody.map((i) => result.values(name, i).map((value) => (Number.isFinite(value) ? value : name === "eGFR" ? 0 : value)));
  const courses = Object.fromEntries(LAB_OUTPUTS.map((name) => [name, course(name)]));
  const mean = (of) => everybody.reduce((sum, i, k) => sum + Number(of(i, k)), 0) / everybody.length;
  return {
    plan, courses, failed,
    failure: {
      2: mean((i, k) => failed[k] <= 2), 5: mean((i, k) => failed[k] <= LAB_YEARS),
      decline: mean((i, k) => failed[k] <= 3 || courses.eGFR[k].slice(1, three + 1).some((value) => value <= 0.6 * courses.eGFR[k][0])),
    },
    failureAlive: mean((i) => (failedYear[i] <= LAB_YEARS ? curveAt(labTimes, alive[i], failedYear[i]) : 0)),
    death: mean((i) => 1 - alive[i][last]),
    injury: mean((i) => given.injuries[i].chance),
    reached: mean((i) => given.reached[i]),
  };
}

/** Return lowest, middle and highest of 9 of 10 people at a time. */
export const spanOf = (outcome, name, at = LAB_POINTS - 1) => quantilesOf(outcome.courses[name].map((course) => course[at]).filter(Number.isFinite), [0.05, 0.5, 0.95]);

/** Return the categories of KDIGO of an eGFR and a UACR, with the risk, such as "G3aA3, very high risk"; what is known of them. */
export function kdigoStage({ names, bounds, a2, a3, risk }, egfr, uacr) {
  const g = Number.isFinite(egfr) ? names[bounds.filter((bound) => egfr < bound).length] : "G?", a = Number.isFinite(uacr) ? 1 + Number(uacr >= a2) + Number(uacr > a3) : "?";
  return `${g}A${a}${g !== "G?" && a !== "?" ? `, ${risk[g][a - 1]} risk` : ""}`;
}

/** Return how much more eGFR people have in the end than as now. */
export const gainsOf = (outcome, first) => outcome.courses.eGFR.map((course, k) => course[LAB_POINTS - 1] - first.courses.eGFR[k][LAB_POINTS - 1]);

/** What is not known of the eGFR in five years, each kind apart: between people, of parameters of bodies and drugs, of those of cells, of one measurement. */

import { shown } from "./chart.js";
import { drawsOfPage, moves, partOfSet, RUN_IN } from "./draws.js";
import { gainsOf, LAB_YEARS, spanOf } from "./labs_outcomes.js";
import { element, scrolledTable } from "./parts.js";
import { populationRun, quantilesOf } from "./people.js";

/** People in whom sets of parameters are tried, and how many SDs hold 9 of 10. */
const DRAW_PEOPLE = 12, NINE_OF_TEN = 1.645;
const middleOf = (values) => quantilesOf(values, [0.5])[0];

/** Return, for each set and each person, by how much the set moves the eGFR in the end. */
async function movedEnds(people, rows, plan, sets, pool, wanted) {
  const ends = async (set) => {
    const { options } = await populationRun(people, rows, plan, LAB_YEARS, ["eGFR"], 2, pool, { set, runIn: RUN_IN });
    const result = await pool.run(options, undefined, wanted);
    return rows.map((_, i) => result.values("eGFR", i).map((value) => (Number.isFinite(value) ? value : 0)));
  };
  const [tables, ...under] = await Promise.all([null, ...sets].map(ends));
  return under.map((courses) => courses.map((course, i) => moves(course, tables[i])[1]));
}

/** Whether sets have anything of the cells of a plan. */
const drawsCells = (sets, plan) => plan.cells && sets.some((set) => Object.keys(set.cells[plan.scenario] ?? {}).length);

/**
 * Return, for every option, how far parameters move its median eGFR and the median difference from as now: 9 of 10 sets, for bodies and for cells.
 *
 * @returns Map of outcome to {body: {end, gain}, cells: {end, gain} or null}
 */
export async function parameterSpans(people, rows, outcomes, pool, wanted, told) {
  const { sets } = await drawsOfPage(), some = rows.slice(0, DRAW_PEOPLE), spans = new Map();
  const span = (values) => quantilesOf(values, [0.05, 0.95]);
  let asNow;
  for (const [k, outcome] of outcomes.entries()) {
    told(k + 1, outcomes.length);
    const body = await movedEnds(people, some, outcome.plan, sets.map((set) => partOfSet(set, "body")), pool, wanted);
    asNow ??= body;
    const cells = drawsCells(sets, outcome.plan) ? await movedEnds(people, some, outcome.plan, sets.map((set) => partOfSet(set, "cells")), pool, wanted) : null;
    const gain = (moved, before) => span(moved.map((own, set) => middleOf(own.map((value, i) => value - (before ? before[set][i] : 0)))));
    spans.set(outcome, {
      body: { end: gain(body, null), gain: gain(body, asNow) },
      cells: cells && cells.flat().some((value) => value) ? { end: gain(cells, null), gain: gain(cells, null) } : null,
    });
  }
  return spans;
}

/** Return a difference of the eGFR with its sign; less than a hundredth is nothing. */
const signed = (value) => (Math.abs(value) < 0.005 ? "0" : `${value > 0 ? "+" : ""}${shown(value, 2)}`);
const between = (span) => (span ? `${signed(span[0])} to ${signed(span[1])}` : "none drawn");

/** Return what is said of it. */
export function unknownParts(people, outcomes, spans, fit) {
  const [first, ...others] = outcomes;
  const ends = outcomes.map((outcome) => {
    const [low, middle, high] = spanOf(outcome, "eGFR"), { body, cells } = spans.get(outcome);
    return [outcome.plan.name, shown(middle), between([low - middle, high - middle]), between(body.end), between(cells?.end), `± ${shown(NINE_OF_TEN * people.errors.eGFR * middle, 2)}`];
  });
  const gains = others.map((outcome) => {
    const [low, middle, high] = quantilesOf(gainsOf(outcome, first), [0.05, 0.5, 0.95]), { body, cells } = spans.get(outcome);
    // Two measurements of two people who differ by nothing.
    const error = NINE_OF_TEN * Math.SQRT2 * people.errors.eGFR * spanOf(first, "eGFR")[1];
    return [outcome.plan.name, signed(middle), between([low - middle, high - middle]), between(body.gain), between(cells?.gain), `± ${shown(error, 2)}`];
  });
  const heads = ["option", "median", "between people", "parameters of bodies and drugs", "parameters of cells", "measurement"];
  return [
    element("h3", {}, "What is not known, each kind apart"),
    scrolledTable("eGFR in 5 years", "lab-unknown", heads, ends),
    ...(gains.length ? [scrolledTable("Difference of the eGFR in 5 years from as now", "lab-unknown-gain", heads, gains)] : []),
    element("p", { class: "small" }, `Each column says how far 9 of 10 lie from the median. Between people: of those who are like the person. Parameters of bodies and drugs: sets of parameters of the posterior of the fit ${fit || "(none is installed, so that none are drawn)"}, in ${DRAW_PEOPLE} of these people from today on, as they are today. Parameters of cells: from their tables and that fit. Measurement: of one value of somebody at the median; for a difference, of two.`),
  ];
}

/** What is not known of parameters: the same people under each set of parameters that the installed fit leaves possible. */

import { dataOf } from "./parts.js";

/** Years that people live under a set of parameters before anything new is given, so that they have come to rest in it. */
export const RUN_IN = 0.5;

/** Return {fit, sets: [{values, drugs, cells}]}. */
export const drawsOfPage = () => dataOf("data-draws");

/** What becomes of an effect that is so many times as strong, by its rule; what is set stays. */
const STRONGER = { multiply: (value, factor) => value ** factor, add: (value, factor) => value * factor, max: (value, factor) => value * factor };

/** Return a drug with effects as strong as factors say, by its class or name and the input. */
export function strengthened(drug, factors) {
  const owners = [...new Set([drug.class, drug.name])];
  const factorOf = (quantity) => owners.reduce((product, owner) => product * (factors[`${owner} ${quantity}`] ?? 1), 1);
  return { ...drug, effects: drug.effects.map((effect) => ({ ...effect, value: STRONGER[effect.rule]?.(effect.value, factorOf(effect.quantity)) ?? effect.value })) };
}

/** Part of a set of parameters: that of bodies and drugs, or that of cells; the other stays as in the tables. */
export const partOfSet = (set, part) => (part === "cells" ? { values: {}, drugs: {}, cells: set.cells } : { values: set.values, drugs: set.drugs, cells: {} });

/** Return values of the model under a set, for a scenario. */
export const valuesUnder = (set, scenario) => (set ? { ...set.values, ...set.cells[scenario] } : {});

/** Return doses or switches so many days later. */
export const later = (list, days) => (days ? list.map((one) => ({ ...one, time: one.time + days })) : list);

/**
 * Return by how much a set moves a course, from the person as they are today on: what it does to values of today itself is taken off, since these were measured.
 *
 * @param under, tables courses under the set and under the tables; both begin today after the same time of coming to rest
 */
export const moves = (under, tables) => under.map((value, k) => value - under[0] - (tables[k] - tables[0]));

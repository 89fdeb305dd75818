/** Why a plan changes a quantity: drugs, habits and mechanisms of cells are taken away and put back in combinations. */

import { combinationsOf, shapleyValues } from "./attribution.js";
import { DAYS, drugOf, givenBy, inputOf, model, runOf } from "./plans.js";

/** Mechanisms of cells that are told apart; the others count together. */
const MOST_MECHANISMS = 6;
/** Share of the largest effect below which a mechanism does nothing. */
const NOTHING = 1e-4;

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const switchesOn = (given, input) => [...given.drugs, ...given.own].filter((one) => one.input === input);

/** Return what differs between two plans: inputs of the model that drugs and habits move, and cells. */
function differences(from, to, plans) {
  const inputs = [...new Set([from, to].flatMap((given) => [...given.drugs, ...given.own]).map((one) => one.input))];
  const drugs = plans.flatMap((plan) => plan.drugs.map(drugOf));
  const parts = inputs.filter((input) => !same(switchesOn(from, input), switchesOn(to, input))).map((input) => {
    const by = [...new Set(drugs.filter((drug) => drug.effects.some((effect) => effect.quantity === input)).map((drug) => drug.label))];
    return { kind: "input", input, label: `${inputOf(input).label}${by.length ? ` (${by.join(", ")})` : ""}` };
  });
  return { parts, cells: !same([from.doses, from.cells], [to.doses, to.cells]) || (to.doses.length > 0 && !same(from.values, to.values)) };
}

/** Return what a person is given in a combination of parts. */
function habitsIn(from, to, parts, has) {
  const moved = new Map(parts.filter((part) => part.kind === "input").map((part, k) => [part.input, k]));
  const pick = (list, other) => [...list.filter((one) => !moved.has(one.input) || !has(moved.get(one.input))), ...other.filter((one) => moved.has(one.input) && has(moved.get(one.input)))];
  return { drugs: pick(from.drugs, to.drugs), own: pick(from.own, to.own) };
}

const cellsOf = ({ doses, cells, values }) => ({ doses, cells, values });

/** Return what a person is given of cells in a combination: the course of one plan, with mechanisms switched off that are not in it. */
function cellsIn(from, to, parts, has) {
  const whole = parts.findIndex((part) => part.kind === "cells"), given = to.doses.length ? to : from;
  if (whole >= 0) return cellsOf(has(whole) ? to : from);
  const mechanisms = parts.map((part, k) => [part, k]).filter(([part]) => part.kind === "mechanism" || part.kind === "rest");
  if (!mechanisms.length) return cellsOf(from);
  // Where the first plan has the cells, a part of the change is that a mechanism goes.
  const on = mechanisms.map(([part, k]) => [part, has(k) === (given === to)]);
  if (!on.some(([, is]) => is)) return cellsOf(given === to ? from : to);
  const off = Object.fromEntries(on.filter(([part, is]) => !is && part.kind === "mechanism").map(([part]) => [part.input, 0]));
  return { ...cellsOf(given), values: { ...given.values, ...off } };
}

const lastValue = (result, name, person = 0) => result.values(name, person)[result.times.length - 1];

/** Return mechanisms of cells that matter for a quantity under a plan, the strongest first. */
async function mechanismsOf(person, given, time, output, pool) {
  const taken = new Set([...given.drugs, ...given.own, ...given.cells].map((one) => one.input));
  const names = model.parameters.filter((row) => row.name.startsWith("sw_") && row.input && !taken.has(row.name)
    && (given.values[row.name] ?? person.values[row.name] ?? row.value) === 1).map((row) => row.name);
  const people = Object.fromEntries(names.map((name, k) => [name, Array.from({ length: names.length + 1 }, (_, i) => (i === k + 1 ? 0 : 1))]));
  const options = runOf(person, given, [0, time], [output]);
  const fixed = Object.fromEntries(Object.entries(options.values).filter(([name]) => !names.includes(name)));
  const result = await pool.run({ ...options, values: fixed, people }), full = lastValue(result, output);
  const strength = names.map((name, k) => ({ name, size: Math.abs(lastValue(result, output, k + 1) - full) })).sort((a, b) => b.size - a.size);
  return strength.filter(({ size }) => size > NOTHING * strength[0].size && size > 1e-12 * Math.abs(full)).slice(0, MOST_MECHANISMS).map(({ name }) => name);
}

/**
 * Return the difference of a quantity between two plans at a time, and its parts, the largest first.
 *
 * @returns {Promise<{total, parts: [{label, input, share}], from, to}>} the shares sum to the total
 */
export async function whyChanged(person, plans, year, output, pool, wanted = () => true) {
  const time = Math.max(year * DAYS, 1), [from, to] = plans.map((plan) => givenBy(person, plan));
  const { parts, cells } = differences(from, to, plans);
  if (cells && from.doses.length && to.doses.length) parts.push({ kind: "cells", label: "cells" });
  else if (cells) {
    const names = await mechanismsOf(person, to.doses.length ? to : from, time, output, pool);
    parts.push(...names.map((input) => ({ kind: "mechanism", input, label: `cells: ${inputOf(input).label}` })));
    parts.push({ kind: "rest", label: names.length ? "cells: by everything else" : "cells" });
  }
  const combinations = combinationsOf(parts.length), found = new Map();
  await Promise.all(combinations.map(async (bits) => {
    const has = (k) => Boolean(bits & (2 ** k));
    const given = { ...habitsIn(from, to, parts, has), ...cellsIn(from, to, parts, has) };
    found.set(bits, lastValue(await pool.run({ ...runOf(person, given, [0, time], [output]), people: 1 }, undefined, wanted), output));
  }));
  const shares = shapleyValues(parts.length, (bits) => found.get(bits)), all = 2 ** parts.length - 1;
  return {
    from: found.get(0), to: found.get(all), total: found.get(all) - found.get(0),
    parts: parts.map((part, k) => ({ ...part, share: shares[k] })).sort((a, b) => Math.abs(b.share) - Math.abs(a.share)),
  };
}

/** Plans of treatment: what they give to a person, as the model takes it, and how they are said. */

import { drugSwitches, judged } from "./drugs.js";
import { shown } from "./chart.js";
import { DATA } from "./parts.js";

export const DAYS = 365.25, POINTS = 81, MOST_PLANS = 4;
export const personOf = (name) => DATA.people.find((person) => person.name === name);
export const drugOf = (label) => DATA.drugs.find((drug) => drug.label === label);
export const scenarioOf = (name) => DATA.scenarios.find((scenario) => scenario.name === name);

/** The model of the page, once it is loaded. */
export let model;
export function useModel(loaded) {
  model = loaded;
}

export const newPlan = () => ({ drugs: [], cells: "", scale: 1, scenario: DATA.scenario, inputs: {} });

export const inputOf = (name) => {
  const row = model.parameters[model.parameterIndex.get(name)];
  return row?.input ? row : undefined;
};
export const ownInputs = (person) => Object.fromEntries(
  model.parameters.filter((row) => row.input).map((row) => [row.name, person.values[row.name] ?? row.value]));

const noCells = { doses: [], switches: [], warnings: [] };

/** Return what a plan gives a person: switches of drugs and habits, the course of cells, values of the scenario, and what is to be said of it. */
export function givenBy(person, plan, drugNamed = drugOf) {
  const base = ownInputs(person), drugs = plan.drugs.map(drugNamed);
  const { errors, cautions } = judged(drugs, DATA.limits, DATA.exclusions, { ...base, GFR: person.GFR });
  if (errors.length) throw new Error(errors.join("\n"));
  const course = plan.cells ? person.cells[plan.cells][plan.scenario] : noCells;
  const own = Object.entries(plan.inputs).map(([input, value]) => ({ input, value, time: 0, width: 0 }));
  return {
    drugs: drugSwitches(drugs, base),
    own,
    doses: course.doses.map((dose) => ({ ...dose, amount: dose.amount * plan.scale })),
    cells: course.switches,
    values: scenarioOf(plan.scenario).values,
    notes: [...cautions, ...course.warnings],
  };
}

/** Return what `model.run` needs for a person to whom something is given, see `givenBy`. */
export function runOf(person, given, times, outputs) {
  const { drugs, own, cells, doses, values } = given;
  return { times, values: { ...person.values, ...values }, initial: person.state, doses, switches: [...drugs, ...cells, ...own], outputs };
}

export const evenTimes = (years, points = POINTS) => Array.from({ length: points }, (_, k) => (k * years * DAYS) / (points - 1));

/** Return what `model.run` needs for a person under a plan, and what is to be said of it. */
export function asked(person, plan, years, outputs) {
  const given = givenBy(person, plan);
  return { options: runOf(person, given, evenTimes(years), outputs), notes: given.notes };
}

export const LETTERS = "ABCD";

export function wordsOf(plan) {
  const parts = [...plan.drugs];
  if (plan.cells) parts.push(`${scaledOrder(plan)} (${scenarioOf(plan.scenario).short})`);
  parts.push(...Object.entries(plan.inputs).map(([name, value]) => `${name} ${shown(value, 4)}`));
  return parts.join(" + ") || "nothing new";
}

/** Return the order of cells of a plan with its amount. */
export const scaledOrder = (plan) => (plan.scale === 1 ? plan.cells
  : plan.cells.replace(/ (\d[\d.e+]*)/, (_, amount) => ` ${String(Number((Number(amount) * plan.scale).toPrecision(6))).replace("e+", "e")}`));

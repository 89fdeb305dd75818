/** People of the library in the page: who is like somebody's labs, and what they are given. */

import { drugSwitches, judged } from "./drugs.js";
import { later, strengthened, valuesUnder } from "./draws.js";
import { injuryOf, injurySwitches } from "./hazards.js";
import { DATA, dataOf, unpacked } from "./parts.js";
import { DAYS, drugOf, evenTimes, model, ownInputs, scenarioOf } from "./plans.js";

/** Sum of likelihoods below which nobody is like the person, as in the package. */
const LEAST_SUM = 1e-12;

let library;

/** Return the series of numbers that are stored, those per person first; the bytes of one place stand together. */
function storedSeries(bytes, told) {
  let start = 0;
  return Array.from({ length: Math.max(...told.places) + 1 }, (_, which) => {
    const count = which < told.forLife ? told.persons : told.size, numbers = new Float32Array(count), raw = new Uint8Array(numbers.buffer);
    for (let place = 0; place < 4; place += 1) for (let i = 0; i < count; i += 1) raw[4 * i + place] = bytes[start + place * count + i];
    start += 4 * count;
    return numbers;
  });
}

/** Return the people: what is said of them, and a column for each lab, flag, value and state. */
export async function peopleOfPage() {
  if (library) return library;
  const told = await dataOf("data-library"), series = storedSeries(new Uint8Array(await unpacked("data-numbers")), told);
  const person = series[told.places[told.columns.indexOf("person")]];
  const columnOf = (which) => (which < told.forLife ? Float32Array.from(person, (number) => series[which][number]) : series[which]);
  const read = (names, from) => new Map(names.map((name, k) => [name, columnOf(told.places[from + k])]));
  const columns = read(told.columns, 0), values = read(told.values, columns.size), states = read(told.states, columns.size + values.size);
  library = { ...told, columns, valuesOf: values, statesOf: states };
  return library;
}

/** Return how far everybody is from a lab, in SDs of one measurement and of what may differ besides. */
function distancesFrom(people, lab, value) {
  const spread = lab.years ? lab.tolerance : Math.hypot(lab.error, lab.tolerance);
  return people.columns.get(lab.name).map((own) => (lab.years ? (own - value) / spread : Math.log(Math.max(own, lab.least) / Math.max(value, lab.least)) / spread));
}

/** Return the effective number of people: somebody who is there at several ages counts once. */
function effectiveOf(people, weights) {
  const byPerson = new Map(), persons = people.columns.get("person");
  weights.forEach((weight, i) => { if (weight) byPerson.set(persons[i], (byPerson.get(persons[i]) ?? 0) + weight); });
  return 1 / [...byPerson.values()].reduce((sum, weight) => sum + weight ** 2, 0);
}

/**
 * Return the people who are like somebody.
 *
 * @param who {labs: {name: value}, female: 0, 1 or null, type1: 0, 1 or null, takes: [class], takesNot: [class]}
 * @returns {{weights, effective, factor}} weights sum to 1; the factor on all SDs is the smallest with which enough are like them
 */
export function likePeople(people, who) {
  const flag = (name) => people.columns.get(name), column = (name) => flag(people.classes[name] ?? name);
  const distances = people.labs.filter((lab) => Number.isFinite(who.labs[lab.name]) && !(lab.name === "weight" && Number.isFinite(who.labs.bmi)))
    .map((lab) => distancesFrom(people, lab, who.labs[lab.name]));
  const fits = Array.from({ length: people.size }, (_, i) => (who.female === null || flag("female")[i] === who.female) && (who.type1 === null || (flag("T1D")[i] > 0) === Boolean(who.type1))
    && who.takes.every((name) => column(name)[i] > 0) && who.takesNot.every((name) => !(column(name)[i] > 0)));
  const counts = flag("counts");
  let answer;
  for (const factor of people.widened) {
    const raw = fits.map((fit, i) => (fit ? counts[i] * Math.exp(Math.max(-700, -0.5 * distances.reduce((sum, distance) => sum + (distance[i] / factor) ** 2, 0))) : 0));
    const sum = raw.reduce((a, b) => a + b, 0), weights = raw.map((weight) => (sum > LEAST_SUM ? weight / sum : 0));
    answer = { weights, effective: sum > LEAST_SUM ? effectiveOf(people, weights) : 0, factor };
    if (answer.effective >= people.wanted) break;
  }
  return answer;
}

/** Return rows of the people, each with how often it was drawn: as often as its weight says, to within one. */
export function drawnRows(weights, size) {
  const rows = [];
  let reached = 0, taken = 0;
  weights.forEach((weight, row) => {
    reached += weight * size;
    const copies = Math.floor(reached + 0.5) - taken;
    if (copies > 0) rows.push({ row, copies });
    taken += Math.max(0, copies);
  });
  return rows;
}

export const quantilesOf = (values, shares) => {
  const sorted = [...values].sort((a, b) => a - b);
  return shares.map((share) => {
    const at = share * (sorted.length - 1), low = Math.floor(at);
    return sorted[low] + (at - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]);
  });
};

const within = (value, least, most) => Math.min(most ?? Infinity, Math.max(least ?? -Infinity, value));

/** Return what `run` needs of people: their values and states, kept within what is possible at all. */
export function bodiesOf(people, rows) {
  const each = (columns, limits) => Object.fromEntries([...columns].map(([name, column]) => [name, rows.map((row) => limits(name, column[row]))]));
  return {
    people: each(people.valuesOf, (name, value) => {
      const { least, most } = model.parameters[model.parameterIndex.get(name)];
      return within(value, least, most);
    }),
    initial: each(people.statesOf, (name, value) => within(value, model.states[model.stateIndex.get(name)].floor, null)),
  };
}

/** Return drugs that somebody can be given besides what they take: none of a class that they have, nor what their kidneys forbid. */
function allowedDrugs(people, row, drugs) {
  const already = Object.entries(people.classes).filter(([, column]) => people.columns.get(column)[row] > 0).map(([name]) => ({ label: name, name, class: name }));
  const GFR = people.columns.get("egfr")[row];
  return drugs.filter((drug) => !judged([...already, drug], DATA.limits.filter((limit) => [drug.name, drug.class].includes(limit.therapy)), DATA.exclusions, { GFR }).errors.length);
}

/** Return each person's own course of cells: doses go by weight and by where cells arrest in this body. */
async function coursesOf(people, rows, bodies, plan, pool) {
  const order = people.orders[plan.cells][plan.scenario], set = Object.fromEntries(order.switches.filter((one) => one.time <= order.time).map((one) => [one.input, one.value]));
  const quantities = [...new Set([...order.doses.map((dose) => dose.quantity), ...(order.plug ? [order.plug.free, order.plug.gain] : [])])];
  const columns = Object.fromEntries(Object.entries(bodies.people).filter(([name]) => !(name in set)));
  const result = await pool.run({ ...bodies, people: columns, values: { ...scenarioOf(plan.scenario).values, ...set }, times: [0], outputs: quantities });
  return rows.map((_, i) => {
    const kilograms = (order.perKg ? bodies.initial.BW[i] : 1) * plan.scale, of = (name) => result.values(name, i)[0];
    const repeated = { time: order.time, ii: order.ii, addl: order.addl };
    const doses = order.doses.map((dose) => ({ state: dose.state, amount: dose.amount * kilograms * of(dose.quantity), ...repeated }));
    if (order.plug) doses.push({ state: "plugged", amount: of(order.plug.gain) * Math.max(0, order.plug.handled * kilograms - of(order.plug.free)), ...repeated });
    return { doses: doses.filter((dose) => dose.amount > 0), switches: order.switches };
  });
}

/** Return the classes of drugs that somebody takes, with those that are given besides. */
function classesTaken(people, row, given) {
  const already = Object.entries(people.classes).filter(([, column]) => people.columns.get(column)[row] > 0).map(([name]) => name);
  return new Set([...already, ...given.map((drug) => drug.class || drug.name)]);
}

/**
 * Return what `run` needs for people under a plan, and of each whether something new is given, which classes of drugs are taken, and the first acute injury.
 *
 * @param rows  of the people
 * @param plan  {drugs: [label], cells, scale, scenario, inputs}
 * @param more  set: parameters of a draw, see draws.js; runIn: years under them before the plan begins; injuries: whether acute injuries of kidneys come
 */
export async function populationRun(people, rows, plan, years, outputs, points, pool, { set = null, runIn = 0, injuries = false } = {}) {
  const bodies = bodiesOf(people, rows), drugs = plan.drugs.map(drugOf).map((drug) => (set ? strengthened(drug, set.drugs) : drug)), wait = runIn * DAYS;
  const courses = plan.cells ? await coursesOf(people, rows, bodies, plan, pool) : rows.map(() => ({ doses: [], switches: [] }));
  const own = Object.entries(plan.inputs).map(([input, value]) => ({ input, value, time: 0, width: 0 }));
  const given = rows.map((row, i) => {
    const base = ownInputs({ values: Object.fromEntries(Object.entries(bodies.people).map(([name, column]) => [name, column[i]])) });
    const allowed = allowedDrugs(people, row, drugs), classes = classesTaken(people, row, allowed);
    const injury = injuries ? injuryOf(people, row, classes, years) : null, injured = injury ? injurySwitches(injury, people.hazards.values, DAYS) : [];
    const schedule = { switches: later([...drugSwitches(allowed, base), ...courses[i].switches, ...own, ...injured], wait), doses: later(courses[i].doses, wait) };
    return { schedule, classes, injury, reached: allowed.length > 0 || Boolean(plan.cells) || own.length > 0 };
  });
  const drawn = Object.fromEntries(Object.entries(valuesUnder(set, plan.cells && plan.scenario)).filter(([name]) => !(name in bodies.people)));
  return {
    options: { ...bodies, values: { ...scenarioOf(plan.scenario).values, ...drawn }, schedules: given.map((one) => one.schedule), outputs,
      times: evenTimes(years, points).map((day) => day + wait) },
    reached: given.map((one) => one.reached), classes: given.map((one) => one.classes), injuries: given.map((one) => one.injury),
  };
}

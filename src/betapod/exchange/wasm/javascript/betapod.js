/**
 * Models of betapod in a browser or in Node: the engine's own program as WebAssembly, no server, nothing sent anywhere.
 *
 *   import { load } from "./betapod.js";
 *   const kidney = await load(fetch("kidney.wasm"));          // or bytes, or a WebAssembly.Module
 *   const years = [0, 1, 2, 5, 10].map((year) => year * 365.25);
 *   const result = kidney.run({
 *     times: years,                                           // in kidney.timeUnit
 *     people: { G: [5.2, 9.0] },                              // what differs between people, or how many there are
 *     switches: [{ input: "e_ACE", value: 0.8, time: 365.25, width: 30 }],
 *     outputs: ["GFR", "UACR"],
 *   });
 *   result.values("GFR", 1);                                  // Float64Array, one number for each time
 *   result.people[1].status;                                  // "ok", "ended" by an event, or why it failed
 *
 * Numbers are those of betapod's native engine to the last bit, where that is compiled for a processor without fused multiply-add;
 * see docs/reference/webassembly.md for how far others are away.
 */

import { timeline, withoutInfusions } from "./schedules.js";

const SECTION = "betapod";
const FORMAT = 1;
/** Bytes of results that one call of the program may write. */
const BATCH = 32e6;
const FUNCTIONS = {
  fmod: (a, b) => a % b,
  ...Object.fromEntries(
    ["sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh", "atan2"].map((f) => [f, Math[f]]),
  ),
};

/** Everything that is wrong with what was asked, one text each in `problems`. */
export class BetapodError extends Error {
  constructor(problems) {
    super(problems.join("\n"));
    this.name = "BetapodError";
    this.problems = problems;
  }
}

/**
 * Return the model of a module that `betapod model export NAME -o NAME.wasm` wrote.
 *
 * @param source bytes (ArrayBuffer or a view), a WebAssembly.Module, a Response, or a promise of one of these
 * @returns {Promise<Model>}
 */
export async function load(source) {
  let given = await source;
  if (typeof Response !== "undefined" && given instanceof Response) {
    if (!given.ok) throw new BetapodError([`${given.url}: ${given.status} ${given.statusText}`]);
    given = await given.arrayBuffer();
  }
  const module = given instanceof WebAssembly.Module ? given : await WebAssembly.compile(given);
  const [section] = WebAssembly.Module.customSections(module, SECTION);
  if (!section) throw new BetapodError(["the module holds no model of betapod"]);
  const facts = JSON.parse(new TextDecoder().decode(section));
  if (facts.format !== FORMAT) {
    throw new BetapodError([`the module has format ${facts.format}; this file reads format ${FORMAT}`]);
  }
  return new Model(facts, await WebAssembly.instantiate(module, { env: FUNCTIONS }));
}

/**
 * A model that can be run.
 *
 * `name`, `description`, `fingerprint` (of its equations), `timeUnit`; `states`, `outputs`, `parameters` and `events`, each a list of
 * objects with `name`, `label` and, but for events, `unit`. A parameter also has `value`, its plausible range `low` to `high`, what is
 * possible at all (`least`, `most`) and whether it is an `input`, which switches may change. A limit that is null is none.
 */
export class Model {
  #exports;
  #facts;

  constructor(facts, instance) {
    this.#facts = facts;
    this.#exports = instance.exports;
    for (const key of ["name", "description", "fingerprint", "timeUnit", "states", "outputs", "parameters", "events"]) {
      this[key] = facts[key];
    }
    this.stateIndex = indexOf(facts.states);
    this.outputIndex = indexOf(facts.outputs);
    this.parameterIndex = indexOf(facts.parameters);
    this.statusNames = facts.status;
    this.ramps = facts.ramps;
    this.slot = new Map(facts.slots.map((name, i) => [name, i]));
  }

  /** Return the value of every parameter and input where nothing else is said: an object by name. */
  get defaults() {
    return Object.fromEntries(this.parameters.map((row) => [row.name, row.value]));
  }

  /**
   * Integrate people from time 0 on and report them at times.
   *
   * @param options.times    increasing numbers from 0 on, in `timeUnit`
   * @param options.people   how many (default 1), or values that differ: {name: [one per person]}; one number stands for all
   * @param options.values   values that are the same for everybody: {name: number}
   * @param options.initial  states that start elsewhere: {name: number or [one per person]}
   * @param options.doses    [{state, amount, time, ii, addl, duration, rate}]: as betapod.Dose, without steady states
   * @param options.switches [{input, value, time, width}]: as betapod.Switch
   * @param options.schedules one {doses, switches} for each person, instead of `doses` and `switches`
   * @param options.outputs  names to report; all by default
   * @param options.rtol, options.atol relative and absolute error of one step; atol is one number or one per state
   * @param options.maxSteps steps after which somebody is given up
   * @returns {Result}
   * @throws {BetapodError} with everything that is wrong
   */
  run(options) {
    const asked = checked(this, options);
    const runs = { out: [], status: [], endedAt: [], event: [], steps: [], rejected: [] };
    const each = Math.max(1, Math.floor(BATCH / (8 * asked.times.length * this.outputs.length)));
    for (let first = 0; first < asked.count; first += each) {
      this.#batch(asked, first, Math.min(asked.count, first + each), runs);
    }
    return new Result(this, asked, runs);
  }

  #batch(asked, first, end, runs) {
    const facts = this.#facts, count = end - first, visits = asked.times.length, outputs = this.outputs.length;
    const n = this.states.length, tables = asked.tables;
    const base = new Float64Array(facts.slots.length);
    for (const row of this.parameters) base[this.slot.get(row.name)] = asked.values[row.name] ?? row.value;
    const varied = Object.keys(asked.columns), starts = Object.keys(asked.starts);
    const rows = (columns, names) => Float64Array.from({ length: count * names.length }, (_, i) =>
      columns[names[i % names.length]][first + Math.floor(i / names.length)]);
    const whole = (numbers) => BigInt64Array.from(numbers, (number) => BigInt(number));
    const fields = {
      count, visit_count: visits, times: asked.times, next: new BigInt64Array(1), stop: new BigInt64Array(1), base,
      varied_count: varied.length, varied: whole(varied.map((name) => this.slot.get(name))), values: rows(asked.columns, varied),
      override_count: starts.length, overrides: whole(starts.map((name) => this.stateIndex.get(name))),
      starts: rows(asked.starts, starts), schedule: whole(asked.which.slice(first, end)),
      segment_offsets: whole(tables.offsets), segment_start: Float64Array.from(tables.start),
      segment_end: Float64Array.from(tables.end), switched_count: tables.switched.length,
      switched: whole(tables.switched.map((name) => this.slot.get(name))), switch_fixed: Float64Array.from(tables.fixed),
      switch_factor: Float64Array.from(tables.factor), ramp_fixed: Float64Array.from(tables.rampFixed),
      ramp_factor: Float64Array.from(tables.rampFactor), dose_offsets: whole(tables.doseOffsets),
      dose_state: whole(tables.doseState), dose_amount: Float64Array.from(tables.doseAmount),
      floors: Float64Array.from(this.states, (state) => state.floor ?? -Infinity),
      rtol: real(asked.rtol), atol: asked.atol, max_steps: real(asked.maxSteps), first_step: real(facts.firstStep),
      out: new Float64Array(count * visits * outputs), status: new BigInt64Array(count).fill(BigInt(facts.status.indexOf("not run"))),
      ended_at: new Float64Array(count).fill(NaN), event: new BigInt64Array(count).fill(-1n), steps: new BigInt64Array(count),
      rejected: new BigInt64Array(count), last: new Float64Array(count * n),
    };
    const read = this.#call(fields);
    const out = read("out"), all = outputs * visits;
    const wanted = asked.outputs.map((name) => this.outputIndex.get(name));
    for (let person = 0; person < count; person += 1) {
      runs.out.push(wanted.map((k) => Float64Array.from({ length: visits }, (_, v) => out[person * all + v * outputs + k])));
    }
    for (const [name, key] of [["status", "status"], ["endedAt", "ended_at"], ["event", "event"], ["steps", "steps"], ["rejected", "rejected"]]) {
      runs[name].push(...Array.from(read(key), Number));
    }
  }

  /** Lay out a job in the module's memory, run it, and return what reads its arrays. */
  #call(fields) {
    const { memory, worker, __heap_base } = this.#exports, facts = this.#facts;
    const up = (place) => (place + 63) & ~63;
    const job = up(Number(__heap_base.value)), places = {};
    let next = up(job + 8 * facts.job.length);
    for (const name of facts.job) {
      const value = fields[name];
      if (ArrayBuffer.isView(value) && !(value instanceof Real)) {
        places[name] = next;
        next = up(next + value.byteLength);
      }
    }
    const room = next, size = 8 * (facts.workspace + 33);
    const missing = room + size - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / 65536));
    new Uint8Array(memory.buffer, room, size).fill(0);
    const cells = new DataView(memory.buffer);
    facts.job.forEach((name, i) => {
      const value = fields[name];
      if (value instanceof Real) cells.setFloat64(job + 8 * i, value[0], true);
      else if (ArrayBuffer.isView(value)) {
        new value.constructor(memory.buffer, places[name], value.length).set(value);
        cells.setBigInt64(job + 8 * i, BigInt(places[name]), true);
      } else cells.setBigInt64(job + 8 * i, BigInt(value), true);
    });
    worker(job, room);
    return (name) => new fields[name].constructor(memory.buffer, places[name], fields[name].length);
  }
}

/** A single number of a job that is no integer. */
class Real extends Float64Array {}
const real = (value) => Real.of(value);

/**
 * What came out.
 *
 * `times`, `outputs` and `people`: for each person `status` ("ok", "ended" by an event, or why it failed), `endedAt` (time, or NaN),
 * `event` (its name, or null), `steps` and `rejected`.
 */
export class Result {
  #values;

  constructor(model, asked, runs) {
    this.times = asked.times;
    this.outputs = asked.outputs;
    this.units = Object.fromEntries(asked.outputs.map((name) => [name, model.outputs[model.outputIndex.get(name)].unit]));
    this.#values = runs.out;
    const names = model.statusNames;
    this.people = runs.status.map((status, i) => ({
      status: names[status], endedAt: runs.endedAt[i], event: model.events[runs.event[i]]?.name ?? null,
      steps: runs.steps[i], rejected: runs.rejected[i],
    }));
    this.#refuseImpossible(model);
  }

  /** Return a person's course of an output: a Float64Array with NaN from where it ended. */
  values(output, person = 0) {
    const k = this.outputs.indexOf(output);
    if (k < 0 || !this.#values[person]) throw new BetapodError([`no results of ${output} of person ${person}`]);
    return this.#values[person][k];
  }

  /** Count people as failed from the time on at which a reported state cannot be. */
  #refuseImpossible(model) {
    const floors = this.outputs.map((name) => model.states[model.stateIndex.get(name)]?.floor ?? -Infinity);
    this.#values.forEach((courses, person) => {
      const first = Math.min(...courses.map((course, k) => {
        const at = floors[k] === -Infinity ? -1 : course.findIndex((value) => value < floors[k]);
        return at < 0 ? Infinity : at;
      }));
      if (first === Infinity) return;
      courses.forEach((course) => course.fill(NaN, first));
      Object.assign(this.people[person], { status: "impossible", endedAt: this.times[first], event: null });
    });
  }
}

// -- what is asked ----------------------------------------------------------------------------------------------------

const indexOf = (rows) => new Map(rows.map((row, i) => [row.name, i]));
const finite = (value) => typeof value === "number" && Number.isFinite(value);

/** Return what `Model.run` was asked, complete; throw everything that is wrong. */
function checked(model, options) {
  const problems = [];
  const known = ["times", "people", "values", "initial", "doses", "switches", "schedules", "outputs", "rtol", "atol", "maxSteps"];
  for (const key of Object.keys(options ?? {})) if (!known.includes(key)) problems.push(`there is no option ${key}: ${known.join(", ")}`);
  const { times, people = 1, values = {}, initial = {}, doses, switches, schedules, rtol = 1e-6, maxSteps = 1e6 } = options ?? {};
  const visits = Float64Array.from(times ?? []);
  if (!visits.length || visits.some((time, i) => !finite(time) || time < 0 || (i && time <= visits[i - 1]))) {
    problems.push("times must be increasing numbers from 0 on");
  }
  const lists = typeof people === "number" ? {} : people;
  const lengths = Object.values(lists).filter((value) => typeof value !== "number").map((list) => list.length);
  const count = typeof people === "number" ? people : (lengths[0] ?? 1);
  if (!Number.isInteger(count) || count < 0) problems.push(`the number of people must be whole and not negative, not ${count}`);
  if (lengths.some((length) => length !== count)) problems.push(`lists of people differ in length: ${lengths.join(", ")}`);
  const columns = {};
  for (const [name, value] of Object.entries(lists)) {
    const row = parameterOf(model, name, problems);
    const column = typeof value === "number" ? new Array(count).fill(value) : Array.from(value);
    if (row) for (const number of column) possible(row, number, `people ${name}`, problems);
    columns[name] = column;
  }
  for (const [name, value] of Object.entries(values)) {
    const row = parameterOf(model, name, problems);
    if (row) possible(row, value, `values ${name}`, problems);
  }
  const starts = {};
  for (const [name, value] of Object.entries(initial)) {
    const state = model.states[model.stateIndex.get(name)];
    const column = typeof value === "number" ? new Array(count).fill(value) : Array.from(value);
    if (!state) problems.push(`initial: ${name} is no state of ${model.name}`);
    else if (column.length !== count || !column.every(finite)) problems.push(`initial ${name} needs one finite number per person`);
    else if (state.floor !== null && column.some((number) => number < state.floor)) problems.push(`initial ${name} cannot be negative`);
    starts[name] = column;
  }
  const outputs = options?.outputs ?? model.outputs.map((row) => row.name);
  for (const name of outputs) if (!model.outputIndex.has(name)) problems.push(`${model.name} has no quantity ${name}`);
  if (!(rtol >= 3e-14 && rtol < 1)) problems.push(`rtol lies from 3e-14 to below 1, not ${rtol}`);
  if (!Number.isInteger(maxSteps) || maxSteps < 1) problems.push(`maxSteps is a whole number from 1 on, not ${maxSteps}`);
  if (schedules && schedules.length !== count) problems.push(`there must be one schedule per person: ${schedules.length} for ${count}`);
  const plans = schedules ?? [{ doses: doses ?? [], switches: switches ?? [] }];
  for (const plan of plans) checkSchedule(model, plan, problems);
  if (problems.length) throw new BetapodError([...new Set(problems)]);
  const which = Array.from({ length: count }, (_, i) => (schedules ? i : 0));
  const end = visits[visits.length - 1];
  const atol = plans.flatMap((plan) => Array.from(tolerances(model, plan, options.atol)));
  let tables;
  try {
    tables = timeline(model, plans.map((plan) => withoutInfusions(model, plan, end)), visits);
  } catch (error) {
    throw error instanceof RangeError ? new BetapodError([error.message]) : error;
  }
  return { times: visits, count, columns, values, starts, outputs, rtol, maxSteps, which, tables, atol: Float64Array.from(atol) };
}

function parameterOf(model, name, problems) {
  const row = model.parameters[model.parameterIndex.get(name)];
  if (!row) problems.push(`${model.name} has no parameter or input ${name}`);
  return row;
}

function possible(row, value, where, problems) {
  if (!finite(value)) problems.push(`${where} needs a finite number`);
  else if ((row.least !== null && value < row.least) || (row.most !== null && value > row.most) || (row.notZero && value === 0)) {
    problems.push(`${where}: ${row.name} cannot be ${value} ${row.unit}; plausible is ${row.low} to ${row.high}`);
  }
}

function checkSchedule(model, { doses = [], switches = [] }, problems) {
  for (const dose of doses) {
    const where = `dose into ${dose.state} at ${dose.time ?? 0}`;
    if (!model.stateIndex.has(dose.state)) problems.push(`${where}: no such state`);
    for (const key of ["amount", "time", "ii", "addl", "duration", "rate"]) {
      const value = dose[key] ?? 0;
      if (!finite(value) || value < 0) problems.push(`${where}: ${key} is a finite number that is not negative`);
    }
    if (dose.addl && !(dose.ii > 0)) problems.push(`${where}: repeated doses need an interval above 0`);
    if (dose.addl && !Number.isInteger(dose.addl)) problems.push(`${where}: addl is a whole number`);
    if (dose.rate && dose.duration) problems.push(`${where}: a dose has a rate or a duration, not both`);
    if (dose.ss) problems.push(`${where}: steady states are not for JavaScript`);
  }
  for (const change of switches) {
    const where = `switch of ${change.input} at ${change.time}`;
    const row = model.parameters[model.parameterIndex.get(change.input)];
    if (!row?.input) problems.push(`${where}: no such input`);
    else possible(row, change.value, where, problems);
    for (const value of [change.time, change.width ?? 0]) {
      if (!finite(value) || value < 0) problems.push(`${where}: time and width are finite and not negative`);
    }
  }
}

/** Return the absolute tolerance of each state, as `betapod.engine.tolerance` gives it. */
function tolerances(model, { doses = [] }, given) {
  const n = model.states.length;
  if (given !== undefined) return typeof given === "number" ? new Array(n).fill(given) : Array.from(given);
  const sizes = model.states.map((state) => state.size);
  for (const dose of doses) {
    const k = model.stateIndex.get(dose.state);
    sizes[k] = Math.max(sizes[k], Math.abs(dose.amount));
  }
  const largest = new Map();
  model.states.forEach((state, k) => largest.set(state.unit, Math.max(largest.get(state.unit) ?? 0, sizes[k])));
  const nothing = 1e-30 * Math.max(0, ...sizes);
  const least = Math.min(1, ...model.states.map((state) => state.start).filter((start) => start > nothing));
  const power = (x) => 2 ** Math.round(Math.log2(Math.max(x, 1e-91)));
  return sizes.map((size, k) => {
    const beside = power(1e-12 * largest.get(model.states[k].unit)), own = power(size <= nothing ? least : size);
    return Math.min(1e-9, Math.max(1e-9 * Math.max(own, beside), 1e-9 * (own / 1e-5) ** 2));
  });
}

/** Doses and switches as tables of segments, as betapod.engine.schedule, infusions, calendar and timeline make them. */

import { exact, near, over, plus, times } from "./exact.js";

/** Times that differ by less than this share of themselves are one time, as in the native engine. */
const SAME = 1e-13;
/** An infusion shorter than this share of the time at which it ends is given at once. */
const SHORTEST = 1e-10;
const MOST_DOSES = 100000;

/** Return the times of a dose as ratios, up to the first at an end or later. */
function doseTimes({ time = 0, ii = 0, addl = 0 }, end) {
  let more = addl;
  if (addl) {
    const [n, d] = over(plus(exact(end), times(exact(time), -1)), exact(ii));
    const needed = n <= 0n ? 0n : (n + d - 1n) / d;
    more = needed < BigInt(addl) ? Number(needed) : addl;
  }
  if (more >= MOST_DOSES) throw new RangeError(`these are too many doses: ${more + 1} until ${end}`);
  return Array.from({ length: more + 1 }, (_, k) => plus(exact(time), times(exact(ii), k)));
}

/** Return a schedule in which infusions are switches of inputs. */
export function withoutInfusions(model, { doses = [], switches = [] }, end) {
  const boluses = [], changes = [...switches], running = new Map();
  for (const dose of doses) {
    const length = dose.rate ? over(exact(dose.amount), exact(dose.rate)) : exact(dose.duration ?? 0);
    if (!length[0]) {
      boluses.push(dose);
      continue;
    }
    const rate = dose.rate || near(over(exact(dose.amount), length));
    for (const begin of doseTimes(dose, end)) {
      const until = near(plus(begin, length)), from = near(begin);
      if (near(length) < SHORTEST * until) boluses.push({ state: dose.state, amount: dose.amount, time: from });
      else {
        if (!running.has(dose.state)) running.set(dose.state, []);
        running.get(dose.state).push({ begin: from, end: until, rate });
      }
    }
  }
  for (const [state, infusions] of running) {
    const input = model.states[model.stateIndex.get(state)].infusion;
    const moments = [...new Set(infusions.flatMap((one) => [one.begin, one.end]))].sort((a, b) => a - b);
    for (const time of moments) {
      const now = infusions.filter((one) => one.begin <= time && time < one.end);
      changes.push({ input, value: now.reduce((sum, one) => sum + one.rate, 0), time, width: 0 });
    }
  }
  return { doses: boluses, switches: changes };
}

/** Return what gives every time one number: that of the visit it falls on, else that of the first of the times that agree. */
function calendar(times, visits) {
  const numbers = new Map();
  let before = null;
  for (const time of [...new Set(times)].sort((a, b) => a - b)) {
    let number = time;
    for (const visit of visits) if (Math.abs(visit - time) <= SAME * Math.abs(time)) number = visit;
    if (before !== null && number <= before * (1 + SAME)) number = before;
    numbers.set(time, number);
    before = number;
  }
  return numbers;
}

/** Cut the time until the last visit where anything changes; `inputs` are the values before the first switch. */
function segments({ doses, switches }, inputs, visits) {
  const end = visits[visits.length - 1];
  const given = doses.flatMap((dose) => doseTimes(dose, end).map((time) => [near(time), dose]));
  const ordered = [...switches].sort((a, b) => a.time - b.time);
  const until = (change) => (change.width ? near(plus(exact(change.time), exact(change.width))) : change.time);
  const at = calendar([...given.map(([time]) => time), ...ordered.flatMap((change) => [change.time, until(change)])], visits);
  const dosed = new Map();
  for (const [exactly, dose] of given) {
    const time = at.get(exactly);
    if (time < end || (time === 0 && end === 0)) dosed.set(time, [...(dosed.get(time) ?? []), dose]);
  }
  const ramps = rampsOf(ordered.map((change) => [at.get(change.time), at.get(until(change)), change]), inputs);
  const breaks = new Set([0, end, ...dosed.keys()]);
  for (const pieces of Object.values(ramps)) for (const [time] of pieces) if (time > 0 && time < end) breaks.add(time);
  const sorted = [...breaks].sort((a, b) => a - b), found = [];
  for (let k = 0; k + 1 < Math.max(sorted.length, 2); k += 1) {
    const begin = sorted[k], values = { ...inputs }, slopes = {};
    for (const [name, pieces] of Object.entries(ramps)) {
      const piece = pieces.findLast(([time]) => time <= begin);
      if (piece && sorted.length > 1) {
        values[name] = piece[1] + piece[2] * (begin - piece[0]);
        slopes[name] = piece[2];
      }
    }
    found.push({ start: begin, end: sorted[k + 1] ?? end, values, slopes, doses: dosed.get(begin) ?? [] });
  }
  return found;
}

/** Return for each switched input its pieces: time, value at that time, slope. */
function rampsOf(switches, inputs) {
  const ramps = {};
  for (const [begin, end, change] of switches) {
    const pieces = (ramps[change.input] ??= [[-Infinity, inputs[change.input], 0]]);
    while (pieces.length && pieces[pieces.length - 1][0] >= begin) pieces.pop();
    const [time, value, slope] = pieces[pieces.length - 1];
    const present = time === -Infinity ? value : value + slope * (begin - time);
    if (end > begin) pieces.push([begin, present, (change.value - present) / change.width]);
    pieces.push([end, change.value, 0]);
  }
  return Object.fromEntries(Object.entries(ramps).map(([name, pieces]) => [name, pieces.filter(([time]) => time !== -Infinity)]));
}

/** Return the tables of schedules: values are fixed + factor times a person's own value of the input, so two probes give both. */
export function timeline(model, plans, visits) {
  const switched = [...new Set(plans.flatMap((plan) => plan.switches.map((s) => s.input)))].sort();
  const probe = Object.fromEntries(switched.map((name) => [name, model.parameters[model.parameterIndex.get(name)]?.value || 1]));
  const zero = Object.fromEntries(switched.map((name) => [name, 0]));
  const ramps = model.ramps;
  const tables = {
    switched, offsets: [0], start: [], end: [], fixed: [], factor: [], rampFixed: [], rampFactor: [], doseOffsets: [0],
    doseState: [], doseAmount: [],
  };
  for (const plan of plans) {
    const first = segments(plan, zero, visits), second = segments(plan, probe, visits);
    first.forEach((a, i) => {
      const b = second[i];
      tables.start.push(a.start);
      tables.end.push(a.end);
      for (const name of switched) {
        tables.fixed.push(a.values[name]);
        tables.factor.push((b.values[name] - a.values[name]) / probe[name]);
      }
      for (const name of ramps) {
        const low = a.slopes[name] ?? 0, high = b.slopes[name] ?? 0;
        tables.rampFixed.push(low);
        tables.rampFactor.push(name in probe ? (high - low) / probe[name] : 0);
      }
      for (const dose of a.doses) {
        tables.doseState.push(model.stateIndex.get(dose.state));
        tables.doseAmount.push(dose.amount);
      }
      tables.doseOffsets.push(tables.doseState.length);
    });
    tables.offsets.push(tables.start.length);
  }
  return tables;
}

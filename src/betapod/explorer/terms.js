/** Terms of an equation: their values at a time, and for a state what each has moved it by since the start. */

import { formulaValue } from "./formulas.js";
import { DAYS, evenTimes, model } from "./plans.js";

/** Times between the start and now at which rates are read, so that their sum over time is close to what the state has moved. */
const FINE = 1201;

/** Return the value of each term; of rates per day. */
export function termsNow(entry, valueOf, functions) {
  return entry.terms.map((term) => term.sign * entry.factor * formulaValue(term.formula, valueOf, functions));
}

/** Return what each term of a state's rate has moved it by since the start, and what is left over. */
export function changeSince(entry, life, at, book) {
  const until = life.result.times[at], times = evenTimes(until / DAYS, FINE), outputs = [...entry.reads, entry.name].filter((name) => model.outputIndex.has(name));
  const result = model.run({ ...life.options, times, outputs: [...new Set(outputs)] }), sums = new Array(entry.terms.length).fill(0);
  times.forEach((day, k) => {
    const valueOf = (name) => {
      if (name === "t") return day;
      return outputs.includes(name) ? result.values(name)[k] : (life.options.values[name] ?? book.entries.get(name)?.value ?? NaN);
    };
    const width = (until / (FINE - 1)) * (k === 0 || k === FINE - 1 ? 0.5 : 1);
    termsNow(entry, valueOf, book.functions).forEach((value, i) => { sums[i] += width * value; });
  });
  const moved = result.values(entry.name)[FINE - 1] - result.values(entry.name)[0];
  return { terms: sums, rest: moved - sums.reduce((a, b) => a + b, 0) };
}

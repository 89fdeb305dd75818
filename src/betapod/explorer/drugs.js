/** What drugs do to the inputs of a model, as betapod.therapies.standard_care, drug_switches and drug_limits. */

const MINUTE = 1 / 1440;

/**
 * Return the switches that drugs given together make, or throw what clashes.
 *
 * @param drugs [{label, effects: [{quantity, rule, value, onset, offset, lasts}], start, stop, adherence}], days; null: for ever
 * @param base  value of every input without them
 */
export function drugSwitches(drugs, base) {
  const byInput = new Map(), problems = [];
  for (const drug of drugs) {
    const effects = drug.effects.filter((effect) => effect.quantity in base);
    if (!effects.length) problems.push(`${drug.label} acts on nothing that this model has`);
    for (const effect of effects) {
      if (!byInput.has(effect.quantity)) byInput.set(effect.quantity, []);
      byInput.get(effect.quantity).push([drug, effect]);
    }
  }
  for (const [quantity, pairs] of byInput) problems.push(...clashes(quantity, pairs));
  if (problems.length) throw new Error(problems.join("\n"));
  return [...byInput].flatMap(([quantity, pairs]) => switchesOf(quantity, stepsOf(pairs, base[quantity])));
}

const starts = (drug) => drug.start ?? 0;
const ends = (drug, effect) => Math.min(drug.stop ?? Infinity, starts(drug) + (effect.lasts ?? Infinity));
const sets = (effect) => effect.rule === "set" || effect.rule === "policy";

function clashes(quantity, pairs) {
  const setting = pairs.filter(([, effect]) => sets(effect)), found = [];
  setting.forEach(([a, e], i) => setting.slice(i + 1).forEach(([b, f]) => {
    const meet = starts(a) < ends(b, f) + f.offset && starts(b) < ends(a, e) + e.offset;
    if (meet && e.value !== f.value) found.push(`${a.label} and ${b.label} both set ${quantity} at the same time`);
  }));
  return found;
}

/** Return how far a ramp has come; at the very moment of a jump `side` says before (-1) or after (1). */
function ramp(elapsed, width, side) {
  if (!Number.isFinite(elapsed)) return elapsed < 0 ? 0 : 1;
  if (width === 0) return elapsed > 0 || (elapsed === 0 && side > 0) ? 1 : 0;
  return Math.min(Math.max(elapsed / width, 0), 1);
}

function share(drug, effect, time, side) {
  const reach = effect.rule === "policy" ? 1 : (drug.adherence ?? 1), end = ends(drug, effect), start = starts(drug);
  const reached = ramp(end - start, effect.onset, -1);
  const risen = Math.min(ramp(time - start, effect.onset, side), reached);
  return reach * risen * (1 - ramp(time - end, effect.offset, side));
}

function stepsOf(pairs, base) {
  const times = new Set([0]);
  for (const [drug, effect] of pairs) {
    times.add(starts(drug)).add(starts(drug) + effect.onset);
    const end = ends(drug, effect);
    if (Number.isFinite(end)) times.add(end).add(end + effect.offset);
  }
  const value = (time, side) => combined(pairs, base, time, side);
  return [...times].sort((a, b) => a - b).map((time) => ({ time, before: value(time, -1), after: value(time, 1) }));
}

/** Return the value of an input just before or after a time: set, then multiplied, then shifted, then the strongest. */
function combined(pairs, base, time, side) {
  const shares = pairs.map(([drug, effect]) => [effect, share(drug, effect, time, side)]);
  let value = base;
  for (const [effect, part] of shares) if (sets(effect)) value += part * (effect.value - base);
  for (const [effect, part] of shares) if (effect.rule === "multiply") value *= 1 + part * (effect.value - 1);
  for (const [effect, part] of shares) if (effect.rule === "add") value += part * effect.value;
  for (const [effect, part] of shares) if (effect.rule === "max") value = Math.max(value, part * effect.value);
  return value;
}

const close = (a, b) => a === b || Math.abs(a - b) <= Math.max(1e-12 * Math.max(Math.abs(a), Math.abs(b)), 1e-15);

/** Return jumps and ramps; a jump that a ramp follows at once becomes a ramp of a minute. */
function switchesOf(input, steps) {
  const found = [];
  steps.forEach((step, k) => {
    const following = steps[k + 1], jumps = !close(step.before, step.after);
    if (!following || close(step.after, following.before)) {
      if (jumps) found.push({ input, value: step.after, time: step.time, width: 0 });
    } else if (jumps) {
      found.push({ input, value: step.after, time: step.time, width: MINUTE });
      found.push({ input, value: following.before, time: step.time + MINUTE, width: following.time - step.time - MINUTE });
    } else found.push({ input, value: following.before, time: step.time, width: following.time - step.time });
  });
  return found;
}

/**
 * Return why drugs are not given together or to somebody (`errors`), and what calls for caution (`cautions`).
 *
 * @param limits     [{therapy, quantity, low, high, severity, message}], of drugs and classes; null: no limit
 * @param exclusions [{class, other, severity, message}]
 * @param values     of the person, such as {GFR: 28}
 */
export function judged(drugs, limits, exclusions, values) {
  const errors = [], cautions = [];
  for (const drug of drugs) {
    for (const row of limits) {
      const value = values[row.quantity];
      if (![drug.name, drug.class].includes(row.therapy) || value === undefined) continue;
      if ((row.low ?? -Infinity) <= value && value <= (row.high ?? Infinity)) continue;
      (row.severity === "error" ? errors : cautions).push(`${drug.name}: ${row.message} (${row.quantity} is ${Number(value.toPrecision(3))})`);
    }
  }
  drugs.forEach((first, i) => drugs.slice(i + 1).forEach((second) => {
    const both = `${second.label} beside ${first.label}`;
    if (first.class && first.class === second.class) {
      errors.push(`${both}: both are of the class ${first.class}, of which a person takes one`);
      return;
    }
    for (const row of exclusions) {
      const classes = [row.class, row.other];
      if (classes.includes(first.class) && classes.includes(second.class)) {
        (row.severity === "error" ? errors : cautions).push(`${both}: ${row.message}`);
      }
    }
  }));
  return { errors, cautions };
}

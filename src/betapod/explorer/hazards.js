/** Chances of death and of acute kidney injury on a course, as betapod.hazards has them: rates, factors of drugs, days of events. */

const aboveZero = (x, width) => width * (Math.max(x / width, 0) + Math.log1p(Math.exp(-Math.abs(x / width))));

/** Return the hazard of death at an eGFR and a UACR, relative to those of the healthy: their two factors multiply. */
function kidneyFactor(p, egfr, uacr) {
  const low = aboveZero(p.egfr_knee - egfr, p.egfr_width) - aboveZero(p.egfr_knee - p.egfr_healthy, p.egfr_width);
  const albumin = Math.log(Math.max(uacr, p.uacr_least) / p.uacr_healthy);
  return Math.exp(p.egfr_gain * low) * Math.exp(p.uacr_gain * (1 - Math.exp(-p.uacr_shape * albumin)));
}

/**
 * Return rates per year of death from cardiovascular and from other causes.
 *
 * @param p   values of the table of hazards
 * @param who {age, female, cvd, hf, egfr, uacr}
 */
export function deathRates(p, { age, female, cvd, hf, egfr, uacr }) {
  const kidney = kidneyFactor(p, egfr, uacr), history = (1 + cvd * (p.death_cvd - 1)) * (1 + hf * (p.death_hf - 1));
  const any = p.death_rate_65 * Math.exp((age - 65) / p.death_tau) * p.death_sex ** (0.5 - female) * kidney * history;
  const share = 1 / (1 + Math.exp(-(p.cv_share_logit + p.cv_share_kidney * Math.log(kidney) + p.cv_share_cvd * cvd)));
  return { cv_death: any * share, other_death: any * (1 - share) };
}

/** Return the rate of acute kidney injury per year. */
export function injuryRate(p, { age, egfr, uacr }) {
  const albumin = (Math.max(uacr, p.uacr_least) / p.aki_uacr_anchor) ** p.aki_uacr;
  return p.aki_rate_65 * Math.exp((age - 65) / p.aki_tau) * Math.exp(p.aki_gain * aboveZero(p.aki_knee - egfr, p.aki_width)) * albumin;
}

/** Return the factor of drugs on the rate of a cause, for classes that are taken. */
export const drugFactor = (rows, cause, classes) => rows.filter((row) => row.cause === cause && row.drugs.every((name) => classes.has(name))).reduce((product, row) => product * row.factor, 1);

/** Return the cumulative hazard at times in years; rates are linear in between. */
export function cumulativeHazard(years, rates) {
  const sums = [0];
  for (let k = 1; k < years.length; k += 1) sums.push(sums[k - 1] + 0.5 * (rates[k] + rates[k - 1]) * (years[k] - years[k - 1]));
  return sums;
}

/** Return the value of a curve at a time. */
export function curveAt(years, values, at) {
  if (at >= years[years.length - 1]) return values[values.length - 1];
  const k = Math.max(1, years.findIndex((year) => year > at)), share = (at - years[k - 1]) / (years[k] - years[k - 1]);
  return values[k - 1] + share * (values[k] - values[k - 1]);
}

/** Return when a cumulative hazard reaches a number, in years; infinite where it does not. */
export function eventYear(years, cumulative, threshold) {
  const k = cumulative.findIndex((value) => value >= threshold);
  if (k < 0) return Infinity;
  if (k === 0) return years[0];
  return years[k - 1] + ((threshold - cumulative[k - 1]) / (cumulative[k] - cumulative[k - 1])) * (years[k] - years[k - 1]);
}

/** Years between rates of acute injury, of which the day is found before the course is simulated. */
const INJURY_STEP = 0.25;

/**
 * Return the first acute kidney injury of a person of the page within some years: its year, the share of nephrons that it takes, and its chance.
 *
 * @param people  of the page
 * @param row     of the person
 * @param classes of drugs that are taken
 */
export function injuryOf(people, row, classes, last) {
  const of = (name) => people.columns.get(name)[row], { values: p, drugs } = people.hazards, factor = drugFactor(drugs, "aki", classes);
  const years = Array.from({ length: Math.round(last / INJURY_STEP) + 1 }, (_, k) => Math.min(last, k * INJURY_STEP));
  const rates = years.map((year) => factor * injuryRate(p, { age: of("age") + year, egfr: of("egfr"), uacr: of("true_uacr") }));
  const cumulative = cumulativeHazard(years, rates);
  return { year: eventYear(years, cumulative, of("injury_threshold")), share: of("injury_share"), chance: -Math.expm1(-cumulative[cumulative.length - 1]) };
}

/** Return the switches of inputs that an acute injury is. */
export function injurySwitches({ year, share }, p, daysPerYear) {
  if (!Number.isFinite(year)) return [];
  const time = year * daysPerYear, end = time + p.aki_days, step = (input, value, when) => ({ input, value, time: when, width: 0 });
  return [step("aki_m", p.aki_filtration, time), step("aki_loss", -Math.log1p(-share) / p.aki_days, time), step("aki_m", 1, end), step("aki_loss", 0, end)];
}

/**
 * Return the chance to be alive at times of a person's course.
 *
 * @param course  {eGFR, uacr}: values at the times, NaN after kidney failure
 * @param failed  year of kidney failure, infinite without
 */
export function aliveChances(people, row, classes, years, course, failed) {
  const of = (name) => people.columns.get(name)[row], { values: p, drugs, onDialysis } = people.hazards;
  const factors = { cv_death: drugFactor(drugs, "cv_death", classes), other_death: drugFactor(drugs, "other_death", classes) };
  let egfr = course.eGFR[0], uacr = course.UACR[0];
  const rates = years.map((year, k) => {
    if (Number.isFinite(course.eGFR[k])) egfr = course.eGFR[k];
    if (Number.isFinite(course.UACR[k])) uacr = course.UACR[k];
    const by = deathRates(p, { age: of("age") + year, female: of("female"), cvd: of("cvd"), hf: of("hf"), egfr: year >= failed ? onDialysis : egfr, uacr });
    return by.cv_death * factors.cv_death + by.other_death * factors.other_death;
  });
  return cumulativeHazard(years, rates).map((sum) => Math.exp(-sum));
}

/** Published equations of kidney risk for one person: KFRE and CKD-PC, with the people that each is for. */

const logisticOf = (x) => 1 / (1 + Math.exp(-x));

/** Return the terms of a person as the equations read them; NaN where something is not known. */
function termsOf(who, told) {
  const lab = (name) => who.labs[name] ?? NaN, has = (classes) => Number(who.takes.some((name) => classes.includes(name)));
  const onPressure = has(told.pressureClasses);
  return {
    age: lab("age"), male: who.female === null ? NaN : 1 - who.female, egfr: lab("egfr"), log_uacr: Math.log(lab("uacr")), sbp: lab("sbp"), pressure_drugs: onPressure,
    heart_failure: 0, coronary_disease: 0, atrial_fibrillation: 0, smoker: 0, ex_smoker: 0, bmi: lab("bmi"), hba1c: lab("hba1c"),
    oral_drugs: Math.max(has(told.glucoseClasses), has(["insulin"])), insulin: has(["insulin"]),
    // The equation has grams per decilitre.
    albumin: lab("albumin") / 10, phosphate: lab("phosphate"), bicarbonate: lab("bicarbonate"), calcium: lab("calcium"),
  };
}

const linear = (rows, terms, name) => ((terms[name] - rows[name].centre) / rows[name].per) * rows[name].value;

/** Return the chance of kidney failure by the equation of 4 or 8 variables, from 0 to 1. */
export function kidneyFailureRisk(who, told, years, region, variables = 4) {
  const rows = told.equations[`kfre${variables}`], terms = termsOf(who, told);
  const predictor = Object.keys(rows).filter((name) => !name.startsWith("survival")).reduce((sum, name) => sum + linear(rows, terms, name), 0);
  return -Math.expm1(Math.log(rows[`survival ${region} ${years}`].value) * Math.exp(predictor));
}

/** Return the chance of an eGFR 40 % lower within three years; histories and smoking are taken as absent. */
export function declineRisk(who, told) {
  const rows = told.equations.ckdpc40, terms = termsOf(who, told);
  const sum = Object.keys(rows).reduce((total, name) => {
    if (name === "constant") return total + rows.constant.value;
    if (name === "sbp_on_drugs") return total + (terms.pressure_drugs ? ((terms.sbp - rows[name].centre) / rows[name].per) * rows[name].value : 0);
    if (name === "oral_drugs") return total + terms.oral_drugs * rows[name].value;
    return total + linear(rows, terms, name);
  }, 0);
  return logisticOf(sum);
}

/**
 * Return what each equation says, whom it is for, and whether it is far from the model.
 *
 * @param byModel {2: chance of kidney failure within two years, 5: ..., decline: within three}
 */
export function equationRows(who, told, byModel) {
  const rows = [], inRange = (name) => Object.entries(told.ranges[name]).every(([lab, [low, high]]) => !(who.labs[lab] < low) && !(who.labs[lab] >= high + 1));
  const known = (labs) => labs.filter((lab) => !Number.isFinite(who.labs[lab])).concat(who.female === null ? ["sex"] : []);
  const row = (name, what, risk, range, labs, why, model) => {
    const missing = known(labs);
    rows.push({ name, what, risk, fits: inRange(range) && !missing.length, why: missing.length ? `not known: ${missing.join(", ")}` : why, model });
  };
  const [, highest] = told.ranges.kfre.egfr, { age, egfr, bmi } = told.ranges.ckdpc;
  const further = told.equationLabs.map((lab) => lab.name), whom = `it is for adults with an eGFR below ${highest + 1}`;
  // Without any of its own labs the equation of 8 variables has nothing to say.
  for (const variables of further.some((name) => Number.isFinite(who.labs[name])) ? [4, 8] : [4]) {
    for (const region of ["North America", "elsewhere"]) {
      for (const years of [2, 5]) {
        const risk = kidneyFailureRisk(who, told, years, region, variables), labs = ["age", "egfr", "uacr", ...(variables === 8 ? further : [])];
        row(`KFRE, ${variables} variables, ${region}`, `kidney failure within ${years} years`, risk, "kfre", labs, whom, byModel?.[years]);
      }
    }
  }
  row("CKD-PC", "eGFR 40 % lower within 3 years", declineRisk(who, told), "ckdpc", ["age", "egfr", "uacr", "sbp", "bmi", "hba1c"], `it is for people with diabetes of ${age[0]} to ${age[1]} years, eGFR from ${egfr[0]}, BMI from ${bmi[0]}`, byModel?.decline);
  return rows.map((one) => ({ ...one, differs: one.fits && far(one.risk, one.model, told.differs) }));
}

/** Whether two chances differ by more than a factor; those below 1 % are not compared: few people of the model stand behind them. */
function far(risk, model, factor) {
  if (!Number.isFinite(risk) || !Number.isFinite(model) || Math.max(risk, model) < 0.01) return false;
  const ratio = Math.max(model, 0.005) / Math.max(risk, 0.005);
  return ratio > factor || ratio < 1 / factor;
}

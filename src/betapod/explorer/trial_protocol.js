/** A small trial of the page as a protocol, which `betapod run` conducts with everything that the page leaves out. */

import { shown } from "./chart.js";
import { scaledOrder } from "./plans.js";

const UNITS = { eGFR: "mL/min/1.73m2", UACR: "mg/g", HbA1c: "%" };
const plain = (value) => shown(value, 6).replace("\u2212", "-");

function armLines(plan) {
  const lines = [];
  if (plan.drugs.length) lines.push(`    therapies: [${plan.drugs.map((label) => JSON.stringify(label)).join(", ")}]`);
  if (plan.cells) lines.push(`    cells: ${scaledOrder(plan)}`);
  if (!lines.length) lines.push("    placebo: true");
  const own = Object.entries(plan.inputs);
  if (own.length) lines.unshift(`    # Not in a protocol: ${own.map(([name, value]) => `${name} ${plain(value)}`).join(", ")}.`);
  return lines;
}

/**
 * Return the protocol.
 *
 * @param chosen   the fields of the form, as texts
 * @param plans    control and treated
 */
export function protocolOf(chosen, [control, treated]) {
  const days = Math.round(Number(chosen.years) * 365.25), range = (name) => chosen[name].replaceAll(",", ".").split(/-|–|to/).map((text) => text.trim());
  const limits = [["eGFR", "egfr"], ["UACR", "uacr"], ["HbA1c", "hba1c"]].map(([name, key]) => `  ${name}: {min: ${range(key)[0]} ${UNITS[name]}, max: ${range(key)[1]} ${UNITS[name]}}`);
  const type = { 0: "type 2", 1: "type 1" }[chosen.type] ?? "any", scenario = [treated, control].find((plan) => plan.cells)?.scenario ?? "none";
  return [
    "name: small-trial", "title: A small trial of the explorer",
    `population: {diabetes: ${type}, size: 2000}`, "eligibility:", ...limits, `patients: ${2 * Number(chosen.size)}`,
    "arms:", "  control:", ...armLines(control), "  treated:", ...armLines(treated),
    "designs:", "  randomised: {arms: {treated: 1, control: 1}}",
    "visits:", "  - {name: screening, day: -14 day}", "  - {name: enrolment, day: 0 day}", `  - {name: end, day: ${days} day, window: 14 day}`,
    "measurements: {eGFR: {}, UACR: {}, HbA1c: {}}",
    `endpoints:\n  primary: {quantity: ${chosen.endpoint}, summary: ${chosen.endpoint === "UACR" ? "ratio" : "change"}, at: end}`,
    `scenarios: [${scenario}]`, "seed: 1", "replicates: 200", "",
  ].join("\n");
}

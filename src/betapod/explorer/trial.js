/** The view of trials: the folder of a run that was dropped in, and small trials that are conducted in the page. */

import { $, addressIn, capital, counted, element, option, setAddress } from "./parts.js";
import { shown, svgElement } from "./chart.js";
import { chosenNow } from "./person.js";
import { LETTERS, scenarioOf, wordsOf } from "./plans.js";
import { peopleOfPage, populationRun } from "./people.js";
import { pool } from "./pool.js";
import { powerOfSize, simulatedTrials, trueEffect } from "./small_trial.js";

/** People who are simulated for a small trial, trials of each size, and sizes of an arm for which power is said. */
const TRIAL_PEOPLE = 80, TRIALS = 500, SIZES = [10, 20, 30, 50, 100, 200, 400];
const firstTrial = () => ({ control: "0", treated: "1", endpoint: "eGFR", years: "1", size: "50", type: "0", egfr: "25-75", uacr: "200-5000", hba1c: "6-11" });
let trialChosen = firstTrial(), trialTurn = 0, crowd;

const ratio = (value) => `${shown(100 * Math.expm1(value), 3)} %`;

// -- a run that was dropped in ----------------------------------------------------------------------------------------

/** Return every file of what was dropped: folders are gone through. */
async function filesOf(items) {
  const read = (entry) => (entry.isFile
    ? new Promise((resolve, reject) => entry.file(resolve, reject)).then((file) => [file])
    : new Promise((resolve, reject) => entry.createReader().readEntries(resolve, reject)).then((entries) => Promise.all(entries.map(read))).then((lists) => lists.flat()));
  return (await Promise.all([...items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean).map(read))).flat();
}

/** Read the summary of a run among files, and show it, or say what is wrong. */
async function showRun(files) {
  const file = files.find((one) => one.name === "summary.json") ?? files.find((one) => one.name.endsWith(".json"));
  try {
    if (!file) throw new Error(`there is no summary.json among ${counted(files.length, "file")}: it is written when a run is complete (betapod run PROTOCOL)`);
    const summary = JSON.parse(await file.text()), missing = ["trial", "endpoint", "comparisons", "rows"].filter((key) => !(key in summary));
    if (missing.length) throw new Error(`${file.name} is no summary of a trial: it lacks ${missing.join(", ")}`);
    $("run").replaceChildren(...runParts(summary));
  } catch (error) {
    $("run").replaceChildren(element("p", { class: "problem" }, `This folder cannot be shown: ${error.message}.`));
  }
  $("run").querySelector("h3, p")?.setAttribute("tabindex", "-1");
  $("run").querySelector("h3, p")?.focus();
}

export const scrolled = (label, id, heads, rows) => element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": label }, element("table", { id },
  element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))),
  element("tbody", {}, ...rows.map(([first, ...cells]) => element("tr", {}, element("th", { scope: "row" }, first), ...cells.map((cell) => element("td", {}, cell)))))));
const inPercent = (value) => (value === null || value === undefined ? "–" : `${Math.round(100 * value)} %`);

export function runParts(summary) {
  const { endpoint } = summary, log = endpoint.scale === "log" || /ratio|hazard/.test(endpoint.measure ?? "");
  const number = (value) => (value === null || value === undefined ? "–" : log ? ratio(value) : shown(value));
  const scenario = (name) => scenarioOf(name)?.short ?? name;
  const head = (row) => `${row.treated} against ${row.control}, ${row.design}, ${scenario(row.scenario)}`;
  const comparisons = summary.comparisons.map((row) => [head(row), number(row.estimate), `${number(row.low)} to ${number(row.high)}`, inPercent(row.significant), inPercent(row.benefit), number(row.true_effect), inPercent(row.false_positives)]);
  const groups = summary.rows.map((row) => [`${row.arm}, ${row.design}, ${scenario(row.scenario)}`, shown(row.patients), log ? ratio(row.change) : shown(row.change ?? NaN), number(row.true_effect), inPercent(row.dropped_out), inPercent(row.died)]);
  return [
    element("h3", {}, summary.title || summary.trial),
    element("p", {}, `${counted(summary.replicates, "trial")} of each kind. Endpoint: ${endpoint.name} (${endpoint.quantity}, ${endpoint.measure || endpoint.summary}, ${endpoint.visit}), ${log ? "as relative change" : endpoint.unit}. ${summary.test ? `${capital(summary.test)}.` : ""}`),
    ...(comparisons.length ? [scrolled("What the groups differ by", "run-comparisons", ["comparison", "estimate", "95 % of trials", "significant", "and better", "true effect", "significant where nothing works"], comparisons), ...powerParts(summary, head)] : [element("p", {}, "No design of this run has a control.")]),
    element("h4", {}, "Groups by themselves"),
    scrolled("Groups by themselves", "run-groups", ["group", "patients", "change", "true effect of cells", "left", "died"], groups),
  ];
}

/** Return the power of the comparisons at other sizes, from the spread between the trials of the run. */
function powerParts(summary, head) {
  const rows = summary.comparisons.filter((row) => Number.isFinite(row.estimate) && Number.isFinite(row.low) && row.high > row.low).map((row) => {
    const patients = summary.rows.filter((one) => one.design === row.design && one.scenario === row.scenario && [row.treated, row.control].includes(one.arm)).reduce((sum, one) => sum + one.patients, 0);
    const sd = row.sd_chance ?? (row.high - row.low) / (2 * 1.959963984540054);
    return [head(row), `${shown(patients)} (this run)`, ...[0.5, 1, 2, 4].map((times) => `${inPercent(powerOfSize(row.estimate, sd, patients, times * patients))} with ${Math.round(times * patients)}`)];
  });
  return [element("h4", {}, "Power at other sizes"), scrolled("Power at other sizes", "run-power", ["comparison", "patients", "half", "as many", "twice", "four times"], rows),
    element("p", { class: "small" }, "By the normal approximation, from the estimate and its spread between the trials of the run; the chance to find the estimate of this run significant at 5 %, two-sided.")];
}

// -- a small trial in the page ------------------------------------------------------------------------------------------

const rangeOf = (text) => {
  const found = text.replaceAll(",", ".").match(/^\s*(\d+(?:\.\d+)?)\s*(?:-|–|to)\s*(\d+(?:\.\d+)?)\s*$/);
  return found && Number(found[1]) < Number(found[2]) ? [Number(found[1]), Number(found[2])] : null;
};

/** Return rows of the people who may take part, spread evenly over them; or what is wrong. */
function enrolled() {
  const ranges = ["egfr", "uacr", "hba1c"].map((name) => [name, rangeOf(trialChosen[name])]), problems = [];
  for (const [name, range] of ranges) if (!range) problems.push(`${name === "egfr" ? "eGFR" : name === "uacr" ? "UACR" : "HbA1c"}: ${trialChosen[name] || "nothing"} is no range such as 25-75.`);
  const size = Number(trialChosen.size), years = Number(trialChosen.years);
  if (!Number.isInteger(size) || size < 5 || size > 1000) problems.push(`People in each arm: ${trialChosen.size || "nothing"}; a whole number from 5 to 1000 is expected.`);
  if (!(years >= 0.25 && years <= 5)) problems.push(`Years: ${trialChosen.years || "nothing"}; a number from 0.25 to 5 is expected.`);
  if (problems.length) return { problems, rows: [] };
  const type = trialChosen.type, column = (name) => crowd.columns.get(name);
  const rows = Array.from({ length: crowd.size }, (_, i) => i).filter((i) => (type === "" || String(Number(column("T1D")[i] > 0)) === type) && ranges.every(([name, [low, high]]) => column(name)[i] >= low && column(name)[i] <= high));
  if (rows.length < 20) return { problems: [`Only ${counted(rows.length, "person", "people")} of the page can take part; 20 at least are needed. Widen the ranges.`], rows };
  // Each counts for as many as it was taken from: who stands for many is drawn first, and evenly.
  const total = rows.reduce((sum, i) => sum + column("counts")[i], 0), picked = [];
  let reached = 0;
  for (const i of rows) {
    const before = Math.floor(reached);
    reached += (column("counts")[i] / total) * TRIAL_PEOPLE;
    for (let k = before; k < Math.floor(reached + 1e-9); k += 1) picked.push(i);
  }
  return { problems: [], rows: picked, able: rows.length };
}

function drawTrialForm() {
  const { plans } = chosenNow();
  for (const key of ["control", "treated"]) {
    if (!plans[Number(trialChosen[key])]) trialChosen[key] = key === "control" ? "0" : String(plans.length - 1);
    $(`trial-${key}`).replaceChildren(...plans.map((plan, k) => option(String(k), `${LETTERS[k]}: ${wordsOf(plan)}`, trialChosen[key])));
  }
  for (const key of ["endpoint", "years", "size", "type", "egfr", "uacr", "hba1c"]) $(`trial-${key}`).value = trialChosen[key];
  setAddress("trial", addressIn("trial", trialChosen));
}

async function conductTrial() {
  const turn = (trialTurn += 1), wanted = () => turn === trialTurn, { plans } = chosenNow(), { problems, rows, able } = enrolled();
  const chosen = ["control", "treated"].map((key) => plans[Number(trialChosen[key])]), { endpoint } = trialChosen, years = Number(trialChosen.years), size = Number(trialChosen.size);
  $("trial-answer").replaceChildren(...problems.map((text) => element("p", { class: "problem" }, text)));
  if (problems.length) return;
  const unique = [...new Set(rows)], arms = {};
  try {
    for (const [k, name] of ["control", "treated"].entries()) {
      const { options } = await populationRun(crowd, unique, chosen[k], years, [endpoint], 2, pool());
      const result = await pool().run(options, (done, all) => { if (wanted()) $("trial-progress").textContent = `${capital(name)}: ${done} of ${all} people`; }, wanted);
      const courses = new Map(unique.map((row, i) => [row, [...result.values(endpoint, i)]]));
      arms[name] = rows.map((row) => courses.get(row));
    }
    if (!wanted()) return;
    const whole = rows.map((_, i) => [arms.control[i], arms.treated[i]].flat().every((value) => Number.isFinite(value)));
    for (const name of Object.keys(arms)) arms[name] = arms[name].filter((_, i) => whole[i]);
    const log = endpoint === "UACR", error = crowd.errors[endpoint], asked = { arms, error, log, trials: TRIALS };
    const bySize = [...new Set([...SIZES, size])].sort((a, b) => a - b).map((count) => [count, simulatedTrials({ ...asked, size: count })]);
    $("trial-progress").textContent = `${unique.length} different people of ${able} who can take part, simulated here under both plans; ${counted(TRIALS, "trial")} of each size.`;
    $("trial-answer").replaceChildren(...trialParts(bySize, trueEffect(asked), size, log, endpoint, whole.length - arms.control.length));
  } catch (problem) {
    if (wanted()) $("trial-progress").textContent = `This trial cannot be conducted: ${problem.message}`;
  }
}

function trialParts(bySize, effect, size, log, endpoint, left) {
  const own = bySize.find(([count]) => count === size)[1], units = { eGFR: " mL/min/1.73 m²", HbA1c: " percentage points", UACR: "" };
  const number = (value) => (log ? ratio(value) : `${shown(value)}${units[endpoint]}`);
  return [
    element("p", { class: "big" }, `Power ${inPercent(own.power)} with ${size} people in each arm`),
    element("p", {}, `The true difference of the change of ${endpoint} is ${number(effect)}; 95 of 100 such trials find from ${number(own.low)} to ${number(own.high)}.`),
    element("figure", { class: "course" }, element("figcaption", {}, `What ${TRIALS} trials find`), estimatesPicture(own.estimates, effect, log, endpoint)),
    scrolled("Power by size", "trial-power", ["people in each arm", "power", "95 % of trials"], bySize.map(([count, found]) => [String(count), inPercent(found.power), `${number(found.low)} to ${number(found.high)}`])),
    element("p", { class: "small" }, `Change from the start, measured once at both ends with the error of one measurement; Welch's test at 5 %, two-sided. Nobody leaves, and nobody is rescued${left ? `; ${counted(left, "person", "people")} whose kidneys fail are left out` : ""}: betapod run has all of that. Uncertainty of parameters is not in it.`),
  ];
}

/** Return a picture of how often trials find which difference, with the true one. */
function estimatesPicture(estimates, effect, log, endpoint) {
  const wide = 480, high = 190, left = 12, bottom = 34, bars = 24, low = Math.min(estimates[0], 0), top = Math.max(estimates[estimates.length - 1], 0), step = (top - low) / bars || 1;
  const x = (value) => left + ((value - low) / (step * bars)) * (wide - 2 * left), counts = new Array(bars).fill(0);
  for (const value of estimates) counts[Math.min(bars - 1, Math.floor((value - low) / step))] += 1;
  const most = Math.max(...counts), text = (value) => (log ? ratio(value) : shown(value));
  const svg = svgElement("svg", { viewBox: `0 0 ${wide} ${high}`, role: "img", "aria-label": `Estimates of ${estimates.length} trials, ${endpoint}: from ${text(estimates[0])} to ${text(estimates[estimates.length - 1])}; true difference ${text(effect)}` });
  counts.forEach((count, k) => svg.append(svgElement("rect", { class: "band", x: x(low + k * step) + 1, width: Math.max(1, x(low + step) - x(low) - 2), y: high - bottom - (count / most) * (high - bottom - 12), height: (count / most) * (high - bottom - 12) })));
  for (const [value, kind] of [[0, "none"], [effect, "needed"]]) svg.append(svgElement("line", { class: `mark ${kind}`, x1: x(value), x2: x(value), y1: 4, y2: high - bottom }));
  svg.append(svgElement("text", { x: left, y: high - 18 }, text(low)), svgElement("text", { x: wide - left, y: high - 18, "text-anchor": "end" }, text(low + step * bars)), svgElement("text", { x: wide / 2, y: high - 3, "text-anchor": "middle" }, "dashed: no difference; dotted: the true one"));
  return svg;
}

function beginTrial() {
  for (const key of Object.keys(firstTrial())) {
    $(`trial-${key}`).addEventListener("change", (event) => { trialChosen = { ...trialChosen, [key]: event.target.value.trim() }; drawTrialForm(); });
  }
  $("trial-go").addEventListener("click", conductTrial);
  $("run-files").addEventListener("change", (event) => showRun([...event.target.files]));
  const room = $("drop");
  room.addEventListener("dragover", (event) => event.preventDefault());
  room.addEventListener("drop", async (event) => {
    event.preventDefault();
    showRun(await filesOf(event.dataTransfer.items));
  });
}

async function openTrial(parts) {
  crowd = await peopleOfPage();
  for (const key of Object.keys(trialChosen)) if (parts.has(key)) trialChosen[key] = parts.get(key);
  drawTrialForm();
}

export const trialView = { name: "trial", title: "Trial", begin: beginTrial, open: openTrial };

/** The view of trials: the folder of a run that was dropped in, and small trials that are conducted in the page. */

import { $, capital, counted, element, inPercent, option, scrolledTable, setAddress } from "./parts.js";
import { changeInPercent, lineSwatch, shown, svgElement } from "./chart.js";
import { drawExports, inPython, pictureButtons } from "./exports.js";
import { chosenNow, takeAddress } from "./person.js";
import { LETTERS, wordsOf } from "./plans.js";
import { peopleOfPage, populationRun } from "./people.js";
import { scatterPicture } from "./scatter.js";
import { pool } from "./pool.js";
import { filesOf, showRun } from "./run_folder.js";
import { simulatedTrials, trueEffect } from "./small_trial.js";
import { protocolOf } from "./trial_protocol.js";

/** People who are simulated for a small trial, trials of each size, and sizes of an arm for which power is said. */
const TRIAL_PEOPLE = 80, TRIALS = 500, SIZES = [10, 20, 30, 50, 100, 200, 400];
const firstTrial = () => ({ control: "0", treated: "1", endpoint: "eGFR", years: "1", size: "50", type: "0", egfr: "25-75", uacr: "200-5000", hba1c: "6-11" });
let trialChosen = firstTrial(), trialTurn = 0, crowd;

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

/** Return an address with the plans that are compared in it. */
const trialAddress = () => `${chosenNow().address.replace("v=person", "v=trial")}&${new URLSearchParams(Object.entries(trialChosen).filter(([, value]) => value !== ""))}`;

function drawTrialForm() {
  const { plans } = chosenNow();
  for (const key of ["control", "treated"]) {
    if (!plans[Number(trialChosen[key])]) trialChosen[key] = key === "control" ? "0" : String(plans.length - 1);
    $(`trial-${key}`).replaceChildren(...plans.map((plan, k) => option(String(k), `${LETTERS[k]}: ${wordsOf(plan)}`, trialChosen[key])));
  }
  for (const key of ["endpoint", "years", "size", "type", "egfr", "uacr", "hba1c"]) $(`trial-${key}`).value = trialChosen[key];
  setAddress("trial", trialAddress());
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
    const effect = trueEffect(asked);
    $("trial-answer").replaceChildren(...trialParts(bySize, effect, size, log, endpoint, whole.length - arms.control.length), ...scatterParts(arms, log, endpoint), element("div", { class: "exports", id: "trial-exports" }));
    drawTrialExports(bySize, effect, chosen);
  } catch (problem) {
    if (wanted()) $("trial-progress").textContent = `This trial cannot be conducted: ${problem.message}`;
  }
}

/** Fill the exports: power by size, and a protocol that betapod runs with everything that is left out here. */
function drawTrialExports(bySize, effect, plans) {
  const protocol = protocolOf(trialChosen, plans);
  drawExports($("trial-exports"), "trial", {
    csv: () => [["people in each arm", "power", "low", "median", "high", "true difference"], ...bySize.map(([count, found]) => [count, found.power, found.low, found.median, found.high, effect])],
    commands: `cat > small-trial.yaml <<'END'\n${protocol}END\nbetapod run small-trial.yaml`,
    python: `import betapod, pathlib\npathlib.Path("small-trial.yaml").write_text(${inPython(protocol)})\nrun = betapod.run_trial("small-trial.yaml")`,
  });
}

function trialParts(bySize, effect, size, log, endpoint, left) {
  const own = bySize.find(([count]) => count === size)[1], units = { eGFR: " mL/min/1.73 m²", HbA1c: " percentage points", UACR: "" };
  const number = (value) => (log ? changeInPercent(value) : `${shown(value)}${units[endpoint]}`);
  return [
    element("p", { class: "big" }, `Power ${inPercent(own.power)} with ${size} people in each arm`),
    element("p", {}, `The true difference of the change of ${endpoint} is ${number(effect)}; 95 of 100 such trials find from ${number(own.low)} to ${number(own.high)}.`),
    element("figure", { class: "course" }, element("figcaption", {}, `What ${TRIALS} trials find`, pictureButtons("what trials find")), estimatesPicture(own.estimates, effect, log, endpoint)),
    scrolledTable("Power by size", "trial-power", ["people in each arm", "power", "95 % of trials"], bySize.map(([count, found]) => [String(count), inPercent(found.power), `${number(found.low)} to ${number(found.high)}`])),
    element("p", { class: "small" }, `Change from the start, measured once at both ends with the error of one measurement; Welch's test at 5 %, two-sided. Nobody leaves, and nobody is rescued${left ? `; ${counted(left, "person", "people")} whose kidneys fail are left out` : ""}: betapod run has all of that. Uncertainty of parameters is not in it.`),
  ];
}

/** Return how the change of people goes by where they began, under both plans. */
function scatterParts(arms, log, endpoint) {
  const units = { eGFR: "mL/min/1.73 m²", HbA1c: "%", UACR: "mg/g" }, title = `Change of ${endpoint} by where people began`;
  const groups = ["control", "treated"].map((name, k) => ({ label: name, kind: `p${k}`, points: arms[name].map(([start, end]) => (log ? [Math.log10(start), 100 * (end / start - 1)] : [start, end - start])) }));
  return [element("figure", { class: "course" }, element("figcaption", {}, title, pictureButtons(title)), scatterPicture({ title, across: log ? `${endpoint} at the start, logarithm to 10 of ${units[endpoint]}` : `${endpoint} at the start, ${units[endpoint]}`, up: log ? "change, %" : `change, ${units[endpoint]}`, groups }),
    element("ul", { class: "legend" }, ...groups.map((group, k) => element("li", {}, lineSwatch(k), group.label)))),
  element("p", { class: "small" }, "A point is a person, without error of measurement; lines are those of least squares.")];
}

/** Return a picture of how often trials find which difference, with the true one. */
function estimatesPicture(estimates, effect, log, endpoint) {
  const wide = 480, high = 190, left = 12, bottom = 34, bars = 24, low = Math.min(estimates[0], 0), top = Math.max(estimates[estimates.length - 1], 0), step = (top - low) / bars || 1;
  const x = (value) => left + ((value - low) / (step * bars)) * (wide - 2 * left), counts = new Array(bars).fill(0);
  for (const value of estimates) counts[Math.min(bars - 1, Math.floor((value - low) / step))] += 1;
  const most = Math.max(...counts), text = (value) => (log ? changeInPercent(value) : shown(value));
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
  if (parts.has("p")) takeAddress();
  for (const key of Object.keys(trialChosen)) if (parts.has(key)) trialChosen[key] = parts.get(key);
  drawTrialForm();
}

export const trialView = { name: "trial", title: "Trial", begin: beginTrial, open: openTrial };

/** The folder of a run that was dropped in: what its summary says, and what its report has as tables. */

import { changeInPercent, lineSwatch, shown } from "./chart.js";
import { drawExports, inPython, inShell, pictureButtons } from "./exports.js";
import { $, capital, counted, element, inPercent, rowsOfCsv, scrolledTable } from "./parts.js";
import { scenarioOf } from "./plans.js";
import { maracaPicture } from "./maraca.js";
import { forestPicture, partsPicture, survivalPicture } from "./run_pictures.js";
import { powerOfSize } from "./small_trial.js";

/** Tables of a report (`betapod report FOLDER`) that have curves of events, the first that is there: of the trial's own event, or of kidney events. */
const CURVES = { "survival.csv": "Free of the event of the trial", "free.csv": "Free of kidney failure and of a lasting fall of eGFR by 40 %" };

/** The table of a report with the hierarchy of outcomes of one trial, and its components, the worst first. */
const HIERARCHY = "hierarchy.csv", COMPONENTS = ["death", "dialysis", "eGFR below 15", "fall by 57 %", "fall by 50 %", "fall by 40 %", "eGFR slope"];

/** Return every file of what was dropped: folders are gone through. */
export async function filesOf(items) {
  const readAll = async (reader) => {
    const some = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
    return some.length ? [...some, ...await readAll(reader)] : [];
  };
  const read = async (entry) => {
    if (entry.isFile) return [await new Promise((resolve, reject) => { entry.file(resolve, reject); })];
    return (await Promise.all((await readAll(entry.createReader())).map(read))).flat();
  };
  return (await Promise.all([...items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean).map(read))).flat();
}

/** Read a run among files, and show it, or say what is wrong. */
export async function showRun(files) {
  const file = files.find((one) => one.name === "summary.json") ?? files.find((one) => one.name.endsWith(".json")), room = $("run");
  try {
    if (!file) throw new Error(withoutSummary(files));
    const summary = JSON.parse(await file.text()), missing = ["trial", "endpoint", "comparisons", "rows"].filter((key) => !(key in summary));
    if (missing.length) throw new Error(`${file.name} is no summary of a trial: it lacks ${missing.join(", ")}`);
    const name = Object.keys(CURVES).find((one) => files.some((other) => other.name === one)), curves = name ? { title: CURVES[name], rows: await tableOf(files, name) } : null;
    room.replaceChildren(...runParts(summary), ...curveParts(curves), ...hierarchyParts(await tableOf(files, HIERARCHY)), element("div", { class: "exports", id: "run-exports" }));
    drawRunExports(summary);
  } catch (error) {
    room.replaceChildren(element("p", { class: "problem" }, `This folder cannot be shown: ${error.message}.`));
  }
  room.querySelector("h3, p")?.setAttribute("tabindex", "-1");
  room.querySelector("h3, p")?.focus();
}

const tableOf = async (files, name) => (files.some((one) => one.name === name) ? rowsOfCsv(await files.find((one) => one.name === name).text()) : []);

/** Say what to do where no summary is among files: tables of patients (Parquet) are not read here. */
function withoutSummary(files) {
  const patients = files.filter((one) => one.name.endsWith(".parquet")), all = counted(files.length, "file");
  if (!patients.length) return `there is no summary.json among ${all}: it is written when a run is complete (betapod run PROTOCOL)`;
  return `there is no summary.json among ${all}, and ${patients[0].name} holds patients one by one (Parquet), which this page does not read; drop the whole folder of the run, whose summary.json has the results, or read patients by betapod trial export FOLDER --cdisc adam`;
}

const scenarioWords = (name) => scenarioOf(name)?.short ?? name;
const headOf = (row) => `${row.treated} against ${row.control}, ${row.design}, ${scenarioWords(row.scenario)}`;
const groupOf = (row) => `${row.arm}, ${row.design}, ${scenarioWords(row.scenario)}`;

/** Return how the numbers of comparisons, and of groups by themselves, are said. */
function wordsOfSummary({ endpoint }) {
  const groups = endpoint.of_groups ?? endpoint, log = endpoint.scale === "log" || /ratio|hazard|odds/.test(endpoint.measure ?? "");
  const words = (isLog) => (value) => (value === null || value === undefined ? "–" : isLog ? changeInPercent(value) : shown(value));
  return { log, number: words(log), ofGroup: words(groups.scale === "log"), unit: log ? "relative change" : endpoint.unit, groupUnit: `${groups.quantity ?? endpoint.quantity}, ${groups.scale === "log" ? "relative change" : groups.unit}` };
}

/** Return what the summary of a run says: pictures and tables. */
export function runParts(summary) {
  const { endpoint } = summary, { log, number, ofGroup } = wordsOfSummary(summary);
  const comparisons = summary.comparisons.map((row) => [headOf(row), number(row.estimate), `${number(row.low)} to ${number(row.high)}`, inPercent(row.significant), inPercent(row.benefit), number(row.true_effect), inPercent(row.false_positives)]);
  const groups = summary.rows.map((row) => [groupOf(row), shown(row.patients), ofGroup(row.change), ofGroup(row.true_effect), inPercent(row.dropped_out), inPercent(row.died)]);
  return [
    element("h3", {}, summary.title || summary.trial),
    element("p", {}, `${counted(summary.replicates, "trial")} of each kind. Endpoint: ${endpoint.name} (${endpoint.quantity}, ${endpoint.measure || endpoint.summary}, ${endpoint.visit}), ${log ? "as relative change" : endpoint.unit}. ${summary.test ? `${capital(summary.test)}.` : ""}`),
    ...(comparisons.length ? [...forestParts(summary), scrolledTable("What the groups differ by", "run-comparisons", ["comparison", "estimate", "95 % of trials", "significant", "and better", "true effect", "significant where nothing works"], comparisons), ...powerParts(summary)] : [element("p", {}, "No design of this run has a control.")]),
    scrolledTable("Groups by themselves", "run-groups", ["group", "patients", "change", "own true effect", "left", "died"], groups),
    ...changeParts(summary),
  ];
}

function forestParts(summary) {
  const { number, unit } = wordsOfSummary(summary), rows = summary.comparisons.filter((row) => Number.isFinite(row.estimate)).map((row) => ({ label: headOf(row), estimate: row.estimate, low: row.low, high: row.high, truth: row.true_effect }));
  if (!rows.length) return [];
  return [element("figure", { class: "course" }, element("figcaption", {}, "What the groups differ by", pictureButtons("what the groups differ by")), forestPicture(rows, number, unit),
    element("p", { class: "small" }, "Bar: 95 of 100 trials; dot: their mean; dotted line: the true effect."))];
}

/** Return the power of the comparisons at other sizes, from the spread between the trials of the run. */
function powerParts(summary) {
  const rows = summary.comparisons.filter((row) => Number.isFinite(row.estimate) && Number.isFinite(row.low) && row.high > row.low).map((row) => {
    const patients = summary.rows.filter((one) => one.design === row.design && one.scenario === row.scenario && [row.treated, row.control].includes(one.arm)).reduce((sum, one) => sum + one.patients, 0);
    const sd = row.sd_chance ?? (row.high - row.low) / (2 * 1.959963984540054);
    return [headOf(row), `${shown(patients)} (this run)`, ...[0.5, 1, 2, 4].map((times) => `${inPercent(powerOfSize(row.estimate, sd, patients, times * patients))} with ${Math.round(times * patients)}`)];
  });
  return [scrolledTable("Power at other sizes", "run-power", ["comparison", "patients", "half", "as many", "twice", "four times"], rows),
    element("p", { class: "small" }, "By the normal approximation, from the estimate and its spread between the trials of the run; the chance to find the estimate of this run significant at 5 %, two-sided.")];
}

/** Return, for every group, what its change is made of. */
function changeParts(summary) {
  const { ofGroup, groupUnit } = wordsOfSummary(summary), rows = summary.rows.filter((row) => Object.values(row.parts ?? {}).some((value) => value));
  if (!rows.length) return [];
  return [element("h4", {}, "What the change of a group is made of"), element("div", { class: "charts" }, ...rows.map((row) => {
    const title = `Change of ${groupOf(row)}`;
    return element("figure", {}, element("figcaption", {}, groupOf(row), pictureButtons(title)), partsPicture(title, row.parts, ofGroup, groupUnit));
  }))];
}

/** Return curves of events by design and scenario, with the numbers at risk. */
function curveParts(curves) {
  if (!curves?.rows.length) return curves ? [] : [element("p", { class: "small" }, "Curves of events are in the report of a run: after betapod report FOLDER, drop the folder again.")];
  const { rows, title } = curves, number = (row, ...names) => names.map((name) => row[name]).filter((text) => text !== undefined && text !== "").map(Number)[0];
  const kinds = [...new Set(rows.map((row) => [row.design, row.scenario ? scenarioWords(row.scenario) : ""].filter(Boolean).join(", ")))];
  return [element("h4", {}, title), ...kinds.flatMap((kind) => {
    const own = rows.filter((row) => [row.design, row.scenario ? scenarioWords(row.scenario) : ""].filter(Boolean).join(", ") === kind), arms = [...new Set(own.map((row) => row.arm))].slice(0, 4);
    const groups = arms.map((arm) => {
      const of = own.filter((row) => row.arm === arm).sort((a, b) => Number(a.day) - Number(b.day)), column = (...names) => of.map((row) => number(row, ...names));
      return { label: arm, days: column("day"), free: column("free_share", "free"), low: column("free_low", "one_trial_low"), high: column("free_high", "one_trial_high"), atRisk: column("at_risk", "at_risk_per_trial") };
    });
    const { svg, years, atRisk } = survivalPicture(`${title}, ${kind}`, groups);
    return [element("figure", { class: "course" }, element("figcaption", {}, kind, pictureButtons(`${title} ${kind}`)), svg,
      element("ul", { class: "legend" }, ...arms.map((arm, k) => element("li", {}, lineSwatch(k), arm)))),
    scrolledTable(`Patients at risk, ${kind}`, "", ["group", ...years.map((year) => `year ${shown(year)}`)], arms.map((arm, k) => [arm, ...atRisk[k].map((count) => shown(Math.round(count), 4))]))];
  }), element("p", { class: "small" }, "Kaplan-Meier; bands are 95 % intervals of one trial. Below: how many are at risk, in one trial.")];
}

/** Return the hierarchy of outcomes of the typical trial, by design and scenario. */
function hierarchyParts(table) {
  const rows = table.map((row) => ({ ...row, reached: row.reached === "" ? NaN : Number(row.reached), kind: [row.design, row.scenario ? scenarioWords(row.scenario) : ""].filter(Boolean).join(", ") }));
  return [...new Set(rows.map((row) => row.kind))].flatMap((kind, k) => {
    const own = rows.filter((row) => row.kind === kind), arms = [...new Set(own.map((row) => row.arm))], title = `Hierarchy of outcomes, ${kind}`;
    return [...(k ? [] : [element("h4", {}, "Kidney hierarchical endpoint, one trial")]), element("figure", { class: "course" }, element("figcaption", {}, kind, pictureButtons(title)), maracaPicture(title, own, COMPONENTS),
      element("ul", { class: "legend" }, ...arms.map((arm, i) => element("li", {}, lineSwatch(i), arm)))),
    scrolledTable(`Worst outcome of patients, ${kind}`, "", ["group", ...COMPONENTS], arms.map((arm) => [arm, ...COMPONENTS.map((name) => String(own.filter((row) => row.arm === arm && row.component === name).length))])),
    element("p", { class: "small" }, "Each patient counts once, by the worst that happened; within an outcome from left to right time since enrolment. At the right the slopes of the others, mL/min/1.73 m² per year: box, middle half; line, 9 of 10.")];
  });
}

function drawRunExports(summary) {
  const columns = ["design", "scenario", "treated", "control", "estimate", "low", "high", "p", "significant", "benefit", "true_effect", "false_positives", "sd_chance", "sd_parameters", "sd_studies"];
  drawExports($("run-exports"), "run", {
    csv: () => [columns, ...summary.comparisons.map((row) => columns.map((name) => row[name]))],
    commands: `betapod run ${inShell(summary.trial)} --seed ${summary.seed} --replicates ${summary.replicates}\nbetapod report FOLDER`,
    python: `import betapod\nrun = betapod.run_trial(${inPython(summary.trial)}, seed=${summary.seed}, replicates=${summary.replicates})\nprint(run.summary["comparisons"])`,
  });
}

/** The view of one person's labs: people of the library who are like them, options compared, equations beside, and what is not known apart. */

import { $, addressIn, counted, DATA, element, option, setAddress } from "./parts.js";
import { lineChart, lineSwatch, shown } from "./chart.js";
import { asDictionary, drawExports, inPython, inShell, pictureButtons } from "./exports.js";
import { drawsOfPage } from "./draws.js";
import { drugOf, LETTERS, newPlan, scenarioOf } from "./plans.js";
import { equationRows } from "./equations.js";
import { gainsOf, kdigoStage, LAB_OUTPUTS, LAB_POINTS, LAB_YEARS, labTimes, outcomeOf, spanOf } from "./labs_outcomes.js";
import { parameterSpans, unknownParts } from "./labs_unknown.js";
import { drawnRows, likePeople, peopleOfPage, populationRun, quantilesOf } from "./people.js";
import { pool } from "./pool.js";

/** People who stand for the person, options that can be compared with going on as now, and how long to wait after something was typed, ms. */
const TWINS = 100, MOST_OPTIONS = 3, PAUSE = 500;
const EXAMPLE = { age: "61", egfr: "52", uacr: "380", hba1c: "8.4", female: "0", type1: "0", takes: "ACE inhibitor", try: "SGLT2 inhibitor" };

let typed = { ...EXAMPLE }, labTurn = 0, timer, folk;

const labUnit = (lab) => lab.units[Number(typed[`${lab.name}_unit`] ?? 0)] ?? lab.units[0];

/** Return who was typed in: values in the units of the package, and what is wrong with them. */
function whoTyped() {
  const labs = {}, problems = [];
  for (const lab of [...folk.labs, ...folk.equationLabs]) {
    const text = (typed[lab.name] ?? "").trim().replace(",", ".");
    if (!text) continue;
    const { factor, shift, unit } = labUnit(lab), value = Number(text) * factor + shift;
    if (!Number.isFinite(value) || value < lab.low || value > lab.high) {
      problems.push(`${lab.label}: ${text} ${unit} cannot be; it lies from ${shown((lab.low - shift) / factor)} to ${shown((lab.high - shift) / factor)} ${unit}.`);
    } else labs[lab.name] = value;
  }
  const list = (key) => (typed[key] ?? "").split("|").filter(Boolean);
  const takes = list("takes").filter((name) => name === "insulin" || name in folk.classes), options = optionsTyped(list("try"));
  const takesNot = [...new Set(options.flatMap((plan) => plan.drugs.map((label) => drugOf(label).class)))].filter((name) => name in folk.classes && !takes.includes(name));
  const choice = (key) => (typed[key] === "" || typed[key] === undefined ? null : Number(typed[key]));
  return { who: { labs, female: choice("female"), type1: choice("type1"), takes, takesNot }, options, problems };
}

/** Return plans of what is to be tried: cells under every scenario that is compared. */
function optionsTyped(texts) {
  return texts.slice(0, MOST_OPTIONS).flatMap((text) => {
    if (DATA.orders.includes(text)) return DATA.compared.map((scenario) => ({ ...newPlan(), name: `${text} (${scenarioOf(scenario).short})`, cells: text, scenario }));
    return drugOf(text) ? [{ ...newPlan(), name: text, drugs: [text] }] : [];
  });
}

function drawForm() {
  const field = (lab) => {
    const id = `lab-${lab.name}`, unit = labUnit(lab).unit;
    const input = element("input", { type: "text", inputmode: "decimal", id, value: typed[lab.name] ?? "", autocomplete: "off", oninput: (event) => typedIn(lab.name, event.target.value) });
    const units = lab.units.length > 1
      ? element("select", { "aria-label": `Unit of ${lab.label}`, onchange: (event) => changeUnit(lab, Number(event.target.value)) }, ...lab.units.map((one, k) => option(String(k), one.unit, String(typed[`${lab.name}_unit`] ?? 0))))
      : element("span", { class: "small" }, unit === "1" ? "" : unit);
    return element("div", {}, element("label", { for: id }, lab.label), element("div", { class: "pair" }, input, units));
  };
  const select = (key, label, choices) => element("div", {}, element("label", { for: `lab-${key}` }, label),
    element("select", { id: `lab-${key}`, onchange: (event) => typedIn(key, event.target.value) }, ...choices.map(([value, text]) => option(value, text, typed[key] ?? ""))));
  $("lab-fields").replaceChildren(select("female", "Sex", [["", "not said"], ["0", "male"], ["1", "female"]]), select("type1", "Diabetes", [["", "not said"], ["0", "type 2"], ["1", "type 1"]]), ...folk.labs.map(field));
  $("lab-further").replaceChildren(...folk.equationLabs.map(field));
  const takes = (typed.takes ?? "").split("|");
  $("lab-takes").replaceChildren(...[...Object.keys(folk.classes), "insulin"].map((name) => element("label", {},
    element("input", { type: "checkbox", checked: takes.includes(name), value: name, onchange: () => typedIn("takes", [...document.querySelectorAll("#lab-takes input:checked")].map((one) => one.value).join("|")) }), name)));
  drawTried();
}

/** Say a lab in another unit: the number is converted, so that nothing changes. */
function changeUnit(lab, chosen) {
  const before = labUnit(lab), after = lab.units[Number(chosen)], value = Number((typed[lab.name] ?? "").replace(",", ".")) * before.factor + before.shift;
  typed[`${lab.name}_unit`] = chosen;
  const text = typed[lab.name] && Number.isFinite(value) ? String(Number(((value - after.shift) / after.factor).toPrecision(6))) : (typed[lab.name] ?? "");
  $(`lab-${lab.name}`).value = text;
  typedIn(lab.name, text);
}

function drawTried() {
  const texts = (typed.try ?? "").split("|").filter(Boolean), set = (list) => { typedIn("try", list.join("|")); drawTried(); $("lab-try").focus(); };
  $("lab-tried").replaceChildren(...texts.map((text, k) => element("span", { class: "chip" }, text, element("button", { type: "button", "aria-label": `Do not try ${text}`, onclick: () => set(texts.filter((_, i) => i !== k)) }, "×"))));
  $("lab-try").replaceChildren(option("", texts.length < MOST_OPTIONS ? "choose ..." : "three are enough", ""), ...(texts.length < MOST_OPTIONS ? [...DATA.drugs.map((drug) => drug.label), ...DATA.orders].filter((label) => !texts.includes(label)).map((label) => option(label, label, "")) : []));
}

function typedIn(key, value) {
  typed = { ...typed, [key]: value };
  clearTimeout(timer);
  timer = setTimeout(compareOptions, PAUSE);
}

/** Find who is like the person, and simulate them under every option. */
async function compareOptions() {
  const turn = (labTurn += 1), wanted = () => turn === labTurn, { who, options, problems } = whoTyped();
  setAddress("labs", addressIn("labs", typed));
  $("lab-problems").replaceChildren(...problems.map((text) => element("p", { class: "problem" }, text)));
  $("lab-answer").replaceChildren();
  $("labs-exports").replaceChildren();
  const like = likePeople(folk, who);
  $("lab-like").replaceChildren(...likeParts(who, like));
  if (problems.length || like.effective < folk.least) return;
  const drawn = drawnRows(like.weights, TWINS), rows = drawn.map((one) => one.row), plans = [{ ...newPlan(), name: "as now" }, ...options], outcomes = [];
  try {
    for (const [k, plan] of plans.entries()) {
      const { options: run, ...given } = await populationRun(folk, rows, plan, LAB_YEARS, LAB_OUTPUTS, LAB_POINTS, pool(), { injuries: true });
      const told = (done, all) => { if (wanted()) $("lab-progress").textContent = `Option ${k + 1} of ${plans.length}: ${done} of ${counted(all, "person", "people")}`; };
      outcomes.push(outcomeOf(folk, plan, await pool().run(run, told, wanted), drawn, given));
      if (!wanted()) return;
      $("lab-answer").replaceChildren(...answerParts(who, outcomes));
      drawLabExports(who, outcomes);
    }
    const sets = (option, all) => { if (wanted()) $("lab-progress").textContent = `Option ${option} of ${all}: parameters are drawn`; };
    const spans = await parameterSpans(folk, rows, outcomes, pool(), wanted, sets), { fit } = await drawsOfPage();
    if (!wanted()) return;
    $("lab-answer").replaceChildren(...answerParts(who, outcomes), ...unknownParts(folk, outcomes, spans, fit));
    $("lab-progress").textContent = `${counted(rows.length, "person", "people")} of the library, each ${LAB_YEARS} years under ${counted(plans.length, "option")}, simulated here.`;
  } catch (error) {
    if (wanted()) $("lab-progress").textContent = `This cannot be simulated: ${error.message}`;
  }
}

function likeParts(who, like) {
  const enough = like.effective >= folk.least, names = folk.labs.filter((lab) => Number.isFinite(who.labs[lab.name]));
  const { egfr, uacr } = who.labs, staged = Number.isFinite(egfr) || Number.isFinite(uacr);
  const parts = [...(staged ? [element("p", { id: "lab-stage" }, `KDIGO ${kdigoStage(folk.kdigo, egfr, uacr)}; whether it has lasted three months is not known.`)] : []), element("p", { class: enough ? "" : "problem" }, enough
    ? `${Math.round(like.effective)} of the ${folk.size} people of the page are effectively like this person${like.factor > 1 ? `, with ${shown(like.factor)} times the error of each lab` : ""}.`
    : `Too few people of the page are like this person: ${Math.round(like.effective)} effectively, ${folk.least} are needed. Leave out a lab that is not certain, or use betapod patient, which has all ${folk.of} people of the library.`)];
  if (!enough || !names.length) return parts;
  const rows = drawnRows(like.weights, 400).flatMap(({ row, copies }) => new Array(copies).fill(row));
  const line = (lab) => {
    const [low, middle, high] = quantilesOf(rows.map((row) => folk.columns.get(lab.name)[row]), [0.05, 0.5, 0.95]), { factor, shift, unit } = labUnit(lab);
    const own = (value) => shown((value - shift) / factor);
    return element("tr", {}, element("th", { scope: "row" }, lab.label, element("span", { class: "small" }, ` ${unit}`)), element("td", {}, own(who.labs[lab.name])), element("td", {}, `${own(middle)} (${own(low)} to ${own(high)})`));
  };
  return [...parts, element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Labs of the person and of people like them" }, element("table", {},
    element("thead", {}, element("tr", {}, ...["lab", "this person", "people like them (9 of 10)"].map((head) => element("th", { scope: "col" }, head)))), element("tbody", {}, ...names.map(line))))];
}

const ofHundred = (chance) => (chance < 0.005 ? "fewer than 1 of 100" : `${Math.round(100 * chance)} of 100`);

function answerParts(who, outcomes) {
  const first = outcomes[0], years = labTimes;
  const chart = (name, unit) => {
    const lines = outcomes.slice(0, LETTERS.length).map((outcome, k) => {
      const bands = years.map((_, at) => spanOf(outcome, name, at));
      return { label: outcome.plan.name, kind: `p${k}`, values: bands.map((band) => band[1]), low: k ? undefined : bands.map((band) => band[0]), high: k ? undefined : bands.map((band) => band[2]) };
    });
    return element("figure", {}, element("figcaption", {}, `${name}, ${unit}`, pictureButtons(`${name} of people like this person`)), lineChart({ title: name, unit, years, lines, zero: false, cursor: null }));
  };
  const span = (outcome, name) => { const [low, middle, high] = spanOf(outcome, name); return `${shown(middle)} (${shown(low)} to ${shown(high)})`; };
  const better = (outcome) => {
    const gain = gainsOf(outcome, first);
    return outcome === first ? "–" : `${Math.round((10 * gain.filter((value) => value >= folk.noticed.eGFR).length) / gain.length)} of 10`;
  };
  const line = (outcome, k) => element("tr", {}, element("th", { scope: "row" }, `${k < LETTERS.length ? `${LETTERS[k]}: ` : ""}${outcome.plan.name}`), ...[span(outcome, "eGFR"), span(outcome, "UACR"), span(outcome, "HbA1c"), better(outcome), ofHundred(outcome.failure.decline), ofHundred(outcome.failure[5]), ofHundred(outcome.injury), ofHundred(outcome.death),
    outcome === first ? "–" : `${Math.round(10 * outcome.reached)} of 10`].map((text) => element("td", {}, text)));
  const heads = ["option", "eGFR in 5 years", "UACR", "HbA1c", "eGFR noticeably better", "eGFR 40 % lower in 3 years", "kidney failure in 5 years", "acute kidney injury in 5 years", "death in 5 years", "given something new"];
  return [
    element("ul", { class: "legend" }, ...outcomes.slice(0, LETTERS.length).map((outcome, k) => element("li", {}, lineSwatch(k), `${LETTERS[k]}: ${outcome.plan.name}`))),
    element("div", { class: "charts" }, chart("eGFR", "mL/min/1.73 m²"), chart("UACR", "mg/g")),
    element("p", { class: "small" }, "Lines are medians of people like this person; the band holds 9 of 10 of them under A. Those whose kidneys fail count as an eGFR of 0."),
    element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Options compared" }, element("table", { id: "lab-options" }, element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))), element("tbody", {}, ...outcomes.map(line)))),
    element("p", { class: "small" }, `Noticeably better: by ${folk.noticed.eGFR} mL/min/1.73 m² or more than as now. Kidney failure is that of people if nobody died before; acute injuries come by chance, the same in every option but for what drugs do to their rate, and take nephrons; deaths go by rates on each course.`),
    ...equationParts(who, first),
  ];
}

/** Labs that the command line has options for; others are given by name. */
const OWN_OPTIONS = ["age", "egfr", "uacr", "hba1c", "sbp", "weight", "height", "duration"];

/** Return the labs as they were typed: name -> number with its unit. */
function labsAsTyped() {
  const known = [...folk.labs, ...folk.equationLabs].filter((lab) => (typed[lab.name] ?? "").trim());
  return Object.fromEntries(known.map((lab) => [lab.name, lab.name === "age" ? Number(typed.age.replace(",", ".")) : `${typed[lab.name].trim().replace(",", ".")} ${labUnit(lab).unit}`]));
}

/** Fill the exports: quantiles of the people and chances under every option, and the command that has the whole library. */
function drawLabExports(who, outcomes) {
  const labs = labsAsTyped(), tries = (typed.try ?? "").split("|").filter(Boolean), sex = who.female === null ? "" : who.female ? "female" : "male", type = who.type1 === null ? "" : who.type1 ? "1" : "2";
  const option = (flag, value) => (value ? [`${flag} ${inShell(String(value))}`] : []);
  const values = Object.entries(labs).flatMap(([name, value]) => (OWN_OPTIONS.includes(name) ? option(`--${name}`, value) : option("--lab", `${name}=${value}`)));
  const given = [...values, ...option("--sex", sex), ...option("--diabetes", type), ...who.takes.flatMap((name) => option("--on", name)), ...tries.flatMap((text) => option("--try", text))];
  const told = [asDictionary(labs), `[${tries.map(inPython).join(", ")}]`, ...(sex ? [`sex=${inPython(sex)}`] : []), ...(type ? [`diabetes=${inPython(type)}`] : []), ...(who.takes.length ? [`drugs=[${who.takes.map(inPython).join(", ")}]`] : [])];
  const chances = (outcome) => [["kidney failure", 2, outcome.failure[2]], ["kidney failure", LAB_YEARS, outcome.failure[5]], ["kidney failure before death", LAB_YEARS, outcome.failureAlive], ["eGFR 40 % lower", 3, outcome.failure.decline], ["acute kidney injury", LAB_YEARS, outcome.injury], ["death", LAB_YEARS, outcome.death]];
  drawExports($("labs-exports"), "labs", {
    csv: () => [["option", "quantity", "year", "5 %", "median or chance", "95 %"], ...outcomes.flatMap((outcome) => [
      ...LAB_OUTPUTS.flatMap((name) => labTimes.map((year, at) => { const [low, middle, high] = spanOf(outcome, name, at); return [outcome.plan.name, name, year, low, middle, high]; })),
      ...chances(outcome).map(([name, year, chance]) => [outcome.plan.name, name, year, "", chance, ""])])],
    commands: `betapod patient ${given.join(" ")}`,
    python: `import betapod\nforecast = betapod.forecast_patient(${told.join(", ")})\nprint(forecast.document()["options"])`,
  });
}

function equationParts(who, first) {
  const rows = equationRows(who, folk, first.failure), chance = (value) => (Number.isFinite(value) ? `${shown(100 * value, 2)} %` : "–");
  const line = (row) => element("tr", {}, element("th", { scope: "row" }, row.name), element("td", {}, row.what), element("td", {}, chance(row.risk)), element("td", {}, chance(row.model)), element("td", {}, row.fits ? (row.differs ? "they differ by more than a factor of two: trust the equation, which was learned from patients" : "for such people") : row.why));
  return [element("h3", {}, "Published equations beside the model"), element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Published equations beside the model" }, element("table", { id: "lab-equations" },
    element("thead", {}, element("tr", {}, ...["equation", "of what", "it says", "people like them, as now", "note"].map((head) => element("th", { scope: "col" }, head)))), element("tbody", {}, ...rows.map(line)))),
  element("p", { class: "small" }, "Smoking and diseases of the heart, which nobody told of, are taken as absent.")];
}

function beginLabs() {
  $("lab-try").addEventListener("change", (event) => {
    typedIn("try", [...(typed.try ?? "").split("|").filter(Boolean), event.target.value].join("|"));
    drawTried();
  });
  $("lab-empty").addEventListener("click", () => { typed = { try: typed.try }; drawForm(); compareOptions(); $("lab-female").focus(); });
}

async function openLabs(parts) {
  const first = !folk;
  folk = await peopleOfPage();
  if (parts.size > 1) typed = Object.fromEntries([...parts].filter(([key]) => key !== "v"));
  if (first || parts.size > 1) {
    drawForm();
    compareOptions();
  }
}

export const labsView = { name: "labs", title: "Labs", begin: beginLabs, open: openLabs };

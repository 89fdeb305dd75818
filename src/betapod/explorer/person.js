/** The view of one person: a typical person, up to four plans of treatment, their courses beside each other. Everything is computed here. */

import { lineChart, lineSwatch, shown } from "./chart.js";
import { asDictionary, drawExports, inPython, inShell, pictureButtons } from "./exports.js";
import { $, DATA, element, option, setAddress } from "./parts.js";
import { measurementBand, movedCourses, parameterBand } from "./person_unknown.js";
import { asked, DAYS, drugOf, inputOf, LETTERS, model, MOST_PLANS, newPlan, personOf, POINTS, scaledOrder, scenarioOf, wordsOf } from "./plans.js";

let state, results, cursor = POINTS - 1, moved = [], movedFor = "", movedTurn = 0;
/** Kinds of what is not known that can be drawn, by their letter in an address; and how long to wait after a change, ms. */
const UNKNOWN = { parameters: "p", measurement: "m" }, REST = 300;

const firstState = () => ({
  v: "person", person: DATA.person, years: 10, outputs: [...DATA.outputs], difference: false, unknown: [], now: 1,
  plans: [newPlan(), { ...newPlan(), drugs: ["SGLT2 inhibitor"] }],
});

// -- the address holds the state ----------------------------------------------------------------------------------

function addressOf(current) {
  const { v, person, years, outputs, difference, unknown, plans } = current;
  const parts = { v, p: person, y: years, o: outputs.join(","), d: difference ? 1 : 0, ...(unknown.length ? { u: unknown.map((kind) => UNKNOWN[kind]).join("") } : {}), k: DATA.key.slice(0, 8), s: JSON.stringify(plans.map(short)) };
  return `#${new URLSearchParams(parts)}`;
}

/** Return the address at which plans are compared in a person. */
export function addressOfPlans({ person, years, output, plans }) {
  const outputs = [...new Set([output, ...DATA.outputs])].slice(0, DATA.outputs.length);
  return addressOf({ ...firstState(), person, years, outputs, plans: plans.map((plan) => ({ ...newPlan(), ...plan })) });
}

/** Return a plan without what is as usual. */
function short(plan) {
  const usual = newPlan();
  return Object.fromEntries(Object.entries(plan).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(usual[key])));
}

/** Return the state of an address, and what could not be taken from it. */
function stateOf(address) {
  const fresh = firstState(), notes = [], parts = new URLSearchParams(address.replace(/^#/, ""));
  if (!parts.has("p")) return [fresh, notes];
  if (parts.get("k") !== DATA.key.slice(0, 8)) notes.push("This address is of another version of the model: numbers may differ.");
  if (personOf(parts.get("p"))) fresh.person = parts.get("p");
  else notes.push(`There is no typical person ${parts.get("p")}.`);
  const years = Number(parts.get("y"));
  if (years >= 1 && years <= 30) fresh.years = Math.round(years);
  const outputs = (parts.get("o") ?? "").split(",").filter((name) => model.outputIndex.has(name));
  if (outputs.length) fresh.outputs = outputs.slice(0, 8);
  fresh.difference = parts.get("d") === "1";
  fresh.unknown = Object.keys(UNKNOWN).filter((kind) => (parts.get("u") ?? "").includes(UNKNOWN[kind]));
  let plans = [];
  try {
    plans = JSON.parse(parts.get("s") ?? "[]");
  } catch {
    notes.push("The plans of this address cannot be read.");
  }
  if (Array.isArray(plans) && plans.length) fresh.plans = plans.slice(0, MOST_PLANS).map((plan) => planOf(plan ?? {}, notes));
  fresh.now = Math.min(1, fresh.plans.length - 1);
  return [fresh, notes];
}

function planOf(given, notes) {
  const plan = newPlan(), list = Array.isArray(given.drugs) ? given.drugs : [];
  plan.drugs = list.filter((label) => drugOf(label) || void notes.push(`There is no drug ${label}.`));
  if (DATA.orders.includes(given.cells)) plan.cells = given.cells;
  else if (given.cells) notes.push(`There is no order of cells ${given.cells}.`);
  if (given.scale >= 0.1 && given.scale <= 10) plan.scale = Number(given.scale);
  if (scenarioOf(given.scenario)) plan.scenario = given.scenario;
  for (const [name, value] of Object.entries(given.inputs ?? {})) {
    if (inputOf(name) && Number.isFinite(value)) plan.inputs[name] = value;
    else notes.push(`There is no input ${name}.`);
  }
  return plan;
}

// -- simulation -----------------------------------------------------------------------------------------------------

function simulateAll() {
  const began = performance.now(), person = personOf(state.person);
  results = state.plans.map((plan) => {
    try {
      const { options, notes } = asked(person, plan, state.years, state.outputs);
      const run = model.run(options), { status, event, endedAt } = run.people[0];
      if (status === "ended") notes.push(`It ends after ${shown(endedAt / DAYS)} years: ${model.events.find((one) => one.name === event).label}.`);
      else if (status !== "ok") notes.push(`The simulation stops after ${shown(endedAt / DAYS)} years: ${status}.`);
      return { courses: state.outputs.map((name) => run.values(name)), notes, problem: "" };
    } catch (error) {
      return { courses: state.outputs.map(() => new Float64Array(POINTS).fill(NaN)), notes: [], problem: error.message };
    }
  });
  $("time").textContent = `${state.plans.length} × ${state.years} years simulated here in ${Math.round(performance.now() - began)} ms.`;
}

// -- words ----------------------------------------------------------------------------------------------------------

const yearsAxis = () => Array.from({ length: POINTS }, (_, k) => (k * state.years) / (POINTS - 1));

/** Return the command that simulates a plan. */
export function commandOf({ person, years, outputs }, plan) {
  const parts = [`betapod simulate ${DATA.model} --person ${person} --years ${years}`];
  parts.push(...plan.drugs.map((label) => `--drug ${inShell(label)}`));
  if (plan.cells) parts.push(`--cells '${scaledOrder(plan)}' --scenario ${plan.scenario}`);
  parts.push(...Object.entries(plan.inputs).map(([name, value]) => `--switch '${name}=${value}@0'`));
  return `${parts.join(" ")} --outputs ${outputs.join(",")}`;
}

/** Return three lines of Python that simulate a plan. */
export function pythonOf({ person, years, outputs }, plan) {
  const given = [`[${plan.drugs.map(inPython).join(", ")}]`];
  if (plan.cells) given.push(`cells=${inPython(scaledOrder(plan))}`, `scenario=${inPython(plan.scenario)}`);
  if (Object.keys(plan.inputs).length) given.push(`held=${asDictionary(plan.inputs)}`);
  return [
    `person = betapod.load_person(${inPython(person)})`,
    `plan = betapod.plan(person.model, person.state, ${given.join(", ")})`,
    `table = betapod.simulate(plan.model, [k * ${years} * ${DAYS} / ${POINTS - 1} for k in range(${POINTS})], plan.schedule, person.state, outputs=[${outputs.map(inPython).join(", ")}]).table`,
  ].join("\n");
}

/** Return a text for each plan below its letter. */
export const byPlan = (plans, textOf) => plans.map((plan, k) => `# ${LETTERS[k]}\n${textOf(plan)}`).join("\n");

// -- what is seen ---------------------------------------------------------------------------------------------------

function draw() {
  simulateAll();
  setAddress("person", addressOf(state));
  drawCourses();
  drawText();
  drawParameters();
}

/** Draw the bands of parameters once they are there: nothing is simulated before the controls rest. */
async function drawParameters() {
  const { person, plans, years, outputs } = state, key = JSON.stringify([person, plans, years, outputs]), turn = (movedTurn += 1), wanted = () => turn === movedTurn;
  if (key !== movedFor) moved = [];
  if (!state.unknown.includes("parameters") || key === movedFor) return;
  await new Promise((resolve) => { setTimeout(resolve, REST); });
  if (!wanted()) return;
  const courses = await movedCourses(personOf(person), plans, years, outputs, wanted);
  if (!wanted()) return;
  [moved, movedFor] = [courses, key];
  drawCourses();
}

function drawCourses() {
  const years = yearsAxis();
  $("legend").replaceChildren(...state.plans.map((plan, k) => element("li", {}, lineSwatch(k), `${LETTERS[k]}: ${wordsOf(plan)}`)));
  $("charts").replaceChildren(...state.outputs.map((name, column) => {
    const { unit, label } = model.outputs[model.outputIndex.get(name)];
    const lines = linesOf(column);
    const title = state.difference ? `${name}: difference from A` : name;
    const drop = element("button", { type: "button", "aria-label": `Take ${name} away`, onclick: () => change((s) => s.outputs.splice(column, 1)) }, "×");
    const caption = element("figcaption", {}, element("span", {}, title, element("span", { class: "small" }, ` ${unit === "1" ? "" : unit} – ${label}`)));
    caption.append(pictureButtons(title));
    if (state.outputs.length > 1) caption.append(drop);
    const chart = lineChart({ title, unit, years, lines, zero: state.difference, cursor });
    chart.addEventListener("pointermove", (event) => pointed(event, chart));
    return element("figure", {}, caption, chart, element("p", { class: "readout" }, readout(lines, years)));
  }));
  $("at").textContent = `year ${shown(years[cursor])}`;
}

/** Return the lines of one output: courses, or differences from the first plan. */
function linesOf(column) {
  const name = state.outputs[column], first = results[0].courses[column], has = (kind) => state.unknown.includes(kind);
  return results.slice(Number(state.difference)).map((result, i) => {
    const k = i + Number(state.difference), values = state.difference ? result.courses[column].map((value, at) => value - first[at]) : result.courses[column];
    const band = has("parameters") ? parameterBand(values, moved[k], column, state.difference ? moved[0] : null) : null;
    const edges = has("measurement") ? measurementBand(name, values, state.difference ? first : null) : null;
    return { label: LETTERS[k], kind: `p${k}`, values, ...(band ?? {}), ...(edges ? { edges } : {}) };
  });
}

const readout = (lines, years) => `year ${shown(years[cursor])}: ${lines.map((line) => `${line.label} ${shown(line.values[cursor], 4)}`).join(", ")}`;

function pointed(event, chart) {
  const frame = chart.getBoundingClientRect(), share = ((event.clientX - frame.left) / frame.width * 480 - 58) / 410;
  const next = Math.max(0, Math.min(POINTS - 1, Math.round(share * (POINTS - 1))));
  if (next === cursor) return;
  cursor = next;
  $("cursor").value = cursor;
  // Only what the cursor changes: charts stay in place under the pointer.
  const years = yearsAxis();
  document.querySelectorAll("#charts figure").forEach((figure, column) => {
    figure.querySelector(".readout").textContent = readout(linesOf(column), years);
    const line = figure.querySelector(".cursor"), x = 58 + (cursor / (POINTS - 1)) * 410;
    line.setAttribute("x1", x);
    line.setAttribute("x2", x);
  });
  $("at").textContent = `year ${shown(years[cursor])}`;
}

function drawText() {
  const said = results.flatMap((result, k) => [
    ...(result.problem ? [[`${LETTERS[k]} cannot be given: ${result.problem}`, "problem"]] : []),
    ...result.notes.map((note) => [`${LETTERS[k]}: ${note}`, "small"]),
  ]);
  $("notes").replaceChildren(...said.map(([text, kind]) => element("p", { class: kind }, text)));
  const picked = [0, 0.1, 0.25, 0.5, 1].map((share) => Math.round(share * (POINTS - 1))), years = yearsAxis();
  const rows = state.outputs.flatMap((name, column) => results.map((result, k) => element("tr", {},
    element("th", { scope: "row" }, `${name} ${LETTERS[k]}`), ...picked.map((i) => element("td", {}, shown(result.courses[column][i], 4))))));
  const head = element("tr", {}, element("th", { scope: "col" }, "years"), ...picked.map((i) => element("th", { scope: "col" }, shown(years[i]))));
  $("table").replaceChildren(element("caption", {}, "The same numbers"), element("thead", {}, head), element("tbody", {}, ...rows));
  drawExports($("person-exports"), "person", {
    csv: csvRows, commands: byPlan(state.plans, (plan) => commandOf(state, plan)), python: `import betapod\n${byPlan(state.plans, (plan) => pythonOf(state, plan))}`,
  });
}

/** Draw what is chosen: the person, and the plan that is being changed. */
function drawControls() {
  const person = personOf(state.person), plan = state.plans[state.now], k = state.now;
  $("person").replaceChildren(...DATA.people.map((one) => option(one.name, `${one.name}: ${one.label}`, person.name)));
  $("years").value = state.years;
  $("years-text").textContent = `${state.years} years`;
  $("difference").checked = state.difference;
  for (const kind of Object.keys(UNKNOWN)) $(`unknown-${kind}`).checked = state.unknown.includes(kind);
  $("tabs").replaceChildren(
    ...state.plans.map((_, i) => element("button", { type: "button", "aria-pressed": String(i === k), onclick: () => change((s) => { s.now = i; }) }, `Plan ${LETTERS[i]}`)),
    element("button", { type: "button", disabled: state.plans.length >= MOST_PLANS, onclick: () => change(addPlan) }, "Add a plan"),
    element("button", { type: "button", disabled: state.plans.length < 2, onclick: () => change(dropPlan) }, `Remove ${LETTERS[k]}`),
  );
  $("plan-name").textContent = `Plan ${LETTERS[k]}`;
  $("drugs").replaceChildren(...plan.drugs.map((label, i) => element("span", { class: "chip" }, label,
    element("button", { type: "button", "aria-label": `Stop ${label}`, onclick: () => change((s) => s.plans[k].drugs.splice(i, 1)) }, "×"))));
  $("drug").value = "";
  $("cells").replaceChildren(option("", "none", plan.cells), ...DATA.orders.map((order) => option(order, order, plan.cells)));
  $("scenario").replaceChildren(...DATA.scenarios.map((one) => option(one.name, one.label, plan.scenario)));
  $("scenario").disabled = $("overlay").disabled = !plan.cells;
  $("scale").disabled = !plan.cells || / ra\b/.test(plan.cells);
  $("scale").value = Math.log10(plan.scale);
  $("scale-text").textContent = `${shown(plan.scale)} times`;
  $("inputs").replaceChildren(...[...new Set([...DATA.sliders, ...Object.keys(plan.inputs)])].map((name) => slider(name, plan, person, k)));
}

function slider(name, plan, person, k) {
  const row = inputOf(name), own = person.values[name] ?? row.value, value = plan.inputs[name] ?? own, id = `input-${name}`;
  const low = Math.min(row.low ?? own, own), high = Math.max(row.high ?? own, own);
  const step = (high - low) / 100;
  const set = (text) => {
    const number = Math.min(row.most ?? Infinity, Math.max(row.least ?? -Infinity, Number(text)));
    if (!Number.isFinite(number)) return;
    if (number === own) delete state.plans[k].inputs[name];
    else state.plans[k].inputs[name] = number;
    both.forEach((one) => { if (Number(one.value) !== number) one.value = number; });
    draw();
  };
  const both = [
    element("input", { type: "range", min: low, max: high, step, value, "aria-label": row.label, oninput: (event) => set(Number(Number(event.target.value).toPrecision(4))) }),
    element("input", { type: "number", id, step: "any", value: Number(Number(value).toPrecision(6)), onchange: (event) => set(event.target.value) }),
  ];
  return element("div", {}, element("label", { for: id }, `${row.label}${row.unit === "1" ? "" : `, ${row.unit}`}`), element("div", { class: "pair" }, ...both));
}

function addPlan(s) {
  s.plans.push(structuredClone(s.plans[s.now]));
  s.now = s.plans.length - 1;
}

function dropPlan(s) {
  s.plans.splice(s.now, 1);
  s.now = Math.min(s.now, s.plans.length - 1);
}

/** Put the plan beside itself: without cells, and with them in three scenarios. */
function overlayScenarios(s) {
  const plan = s.plans[s.now];
  s.plans = [{ ...structuredClone(plan), cells: "", scale: 1 }, ...DATA.compared.map((scenario) => ({ ...structuredClone(plan), scenario }))];
  s.now = 1;
}

function change(how) {
  const back = placeOf(document.activeElement);
  how(state);
  drawControls();
  draw();
  back();
}

/** Return what gives the focus back to a button that was drawn anew, or to its neighbour. */
function placeOf(active) {
  const room = active?.tagName === "BUTTON" && !active.id ? active.closest("[id]") : null;
  if (!room) return () => {};
  const nameOf = (button) => button.getAttribute("aria-label") ?? button.textContent, name = nameOf(active);
  return () => {
    const buttons = [...room.querySelectorAll("button:not(:disabled)")];
    (buttons.find((button) => nameOf(button) === name) ?? buttons[0] ?? $("drug")).focus();
  };
}

/** Return the courses of the plans, and where they are drawn the ends of what is not known: of parameters, and of one measurement. */
function csvRows() {
  const columns = state.outputs.flatMap((name, column) => {
    const { unit } = model.outputs[model.outputIndex.get(name)], head = (k, words = "") => `${name} ${LETTERS[k]}${words} [${unit}]`;
    return results.flatMap((result, k) => {
      const course = result.courses[column], band = state.unknown.includes("parameters") ? parameterBand(course, moved[k], column, null) : null;
      const edges = state.unknown.includes("measurement") ? measurementBand(name, course, null) : null;
      const ends = (of, words) => (of ? [[head(k, ` ${words} 5 %`), of.low], [head(k, ` ${words} 95 %`), of.high]] : []);
      return [[head(k), course], ...ends(band, "parameters"), ...ends(edges, "measurement")];
    });
  });
  const rows = yearsAxis().map((year, i) => [year * DAYS, ...columns.map(([, values]) => values[i])].map((x) => (Number.isFinite(x) ? String(x) : "")));
  return [["time [day]", ...columns.map(([head]) => head)], ...rows];
}

function listen() {
  const on = (id, event, how) => $(id).addEventListener(event, how);
  on("person", "change", (event) => change((s) => { s.person = event.target.value; }));
  on("years", "input", (event) => { state.years = Number(event.target.value); $("years-text").textContent = `${state.years} years`; draw(); });
  for (const kind of Object.keys(UNKNOWN)) {
    on(`unknown-${kind}`, "change", () => change((s) => { s.unknown = Object.keys(UNKNOWN).filter((one) => $(`unknown-${one}`).checked); }));
  }
  on("difference", "change", (event) => change((s) => { s.difference = event.target.checked; }));
  on("drug", "change", (event) => {
    const label = event.target.value;
    if (drugOf(label)) change((s) => { if (!s.plans[s.now].drugs.includes(label)) s.plans[s.now].drugs.push(label); });
  });
  on("cells", "change", (event) => change((s) => { Object.assign(s.plans[s.now], { cells: event.target.value, scale: 1 }); }));
  on("scenario", "change", (event) => change((s) => { s.plans[s.now].scenario = event.target.value; }));
  on("scale", "input", (event) => {
    state.plans[state.now].scale = Number((10 ** Number(event.target.value)).toPrecision(3));
    $("scale-text").textContent = `${shown(state.plans[state.now].scale)} times`;
    draw();
  });
  on("overlay", "click", () => change(overlayScenarios));
  on("cursor", "input", (event) => { cursor = Number(event.target.value); drawCourses(); });
  on("output", "change", (event) => {
    const name = event.target.value.trim();
    if (!model.outputIndex.has(name)) return;
    event.target.value = "";
    change((s) => { if (!s.outputs.includes(name)) s.outputs = [...s.outputs, name].slice(-8); });
  });
  on("input", "change", (event) => {
    const row = inputOf(event.target.value.trim());
    if (!row) return;
    event.target.value = "";
    // A switch is named to be turned.
    const own = personOf(state.person).values[row.name] ?? row.value, value = row.name.startsWith("sw_") ? 1 - own : own;
    change((s) => { s.plans[s.now].inputs[row.name] ??= value; });
    $(`input-${row.name}`)?.focus();
  });
  on("reset", "click", () => { state = firstState(); drawControls(); draw(); });
}

function restore() {
  let notes;
  [state, notes] = stateOf(location.hash);
  drawControls();
  draw();
  $("notes").prepend(...notes.map((note) => element("p", { class: "problem" }, note)));
}

/** Make the view, once: lists of what can be chosen, and what happens when it is. */
function beginPerson() {
  $("drug").replaceChildren(option("", "choose ...", ""), ...DATA.drugs.map((drug) => option(drug.label, drug.label, "")));
  $("outputs-list").replaceChildren(...model.outputs.map((row) => option(row.name, row.label, "")));
  $("inputs-list").replaceChildren(...model.parameters.filter((row) => row.input).map((row) => option(row.name, row.label, "")));
  $("habits").open = innerWidth >= 992;
  listen();
  restore();
}

/** Take person and plans from the page's address, whichever view it is of. */
export function takeAddress() {
  if (addressOf(stateOf(location.hash)[0]) !== addressOf(state)) restore();
}

/** Return who is chosen, under which plans, for how long, and which time is read. */
export const chosenNow = () => ({ person: personOf(state.person), plans: state.plans, years: state.years, year: yearsAxis()[cursor], outputs: state.outputs, address: addressOf(state) });

export const personView = {
  name: "person", title: "Person", begin: beginPerson,
  open: (parts) => { if (parts.has("p") && location.hash !== addressOf(state)) restore(); },
};

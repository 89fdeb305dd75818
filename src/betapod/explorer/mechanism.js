/** The view of the mechanism: any quantity of the model with its equation, what it is computed from, and why a plan changes it. */

import { $, addressIn, capital, dataOf, element, option, paragraph, setAddress } from "./parts.js";
import { lineChart, shown } from "./chart.js";
import { drawExports, inShell, pictureButtons } from "./exports.js";
import { byPlan, chosenNow, commandOf, pythonOf, takeAddress } from "./person.js";
import { DAYS, evenTimes, givenBy, LETTERS, model, POINTS, runOf, wordsOf } from "./plans.js";
import { changeSince, termsNow } from "./terms.js";
import { pool } from "./pool.js";
import { whyChanged } from "./why.js";

const FIRST_QUANTITY = "GFR";
let quantityChosen = FIRST_QUANTITY, planChosen = 1, yearChosen = null, lives = new Map(), book, latestWhy = 0;

/** Return everything about the model, by name, with who reads whom. */
function bookOf(data) {
  const entries = new Map([...data.parameters, ...data.quantities].map((entry) => [entry.name, { reads: [], terms: [], readers: [], ...entry }]));
  for (const entry of data.quantities) for (const name of entry.reads) entries.get(name)?.readers.push(entry.name);
  return { ...data, entries };
}

/** Return the life of the person under a plan, every quantity at every time; kept until person or plans change. */
function lifeUnder(plan, person, years) {
  const key = JSON.stringify([person.name, plan, years]);
  if (!lives.has(key)) {
    if (lives.size > 8) lives = new Map();
    const given = givenBy(person, plan), options = runOf(person, given, evenTimes(years), model.outputs.map((row) => row.name));
    lives.set(key, { given, options, result: model.run(options) });
  }
  return lives.get(key);
}

/** Return a function that gives the value of any name at a time of a life. */
function valuesAt(life, at) {
  return (name) => {
    if (name === "t") return life.result.times[at];
    if (model.outputIndex.has(name)) return life.result.values(name)[at];
    return life.options.values[name] ?? book.entries.get(name)?.value ?? NaN;
  };
}

const inItsUnit = (unit) => (unit && unit !== "1" ? ` ${unit}` : "");
const addressOfQuantity = (name) => `${chosenNow().address.replace("v=person", "v=mechanism")}&q=${encodeURIComponent(name)}&w=${planChosen}&t=${yearChosen ?? ""}`;

function drawMechanism() {
  const { person, plans, years, year } = chosenNow();
  planChosen = Math.min(planChosen, plans.length - 1);
  const at = Math.round(Math.min(yearChosen ?? year, years) / years * (POINTS - 1)), entry = book.entries.get(quantityChosen);
  setAddress("mechanism", addressOfQuantity(quantityChosen));
  $("mech-plan").replaceChildren(...plans.map((plan, k) => option(String(k), `${LETTERS[k]}: ${wordsOf(plan)}`, String(planChosen))));
  $("mech-time").value = at;
  $("mech-at").textContent = `year ${shown((at * years) / (POINTS - 1))}`;
  $("mech-person").replaceChildren(`${capital(person.label)}. `, element("a", { href: chosenNow().address }, "Other people and plans"));
  try {
    const life = lifeUnder(plans[planChosen], person, years), valueOf = valuesAt(life, at);
    $("quantity").replaceChildren(...quantityParts(entry, life, at, valueOf).filter(Boolean));
    drawWires();
    drawMechanismExports(entry, person, plans, years);
    drawWhy(entry, person, plans, (at * years) / (POINTS - 1));
  } catch (error) {
    $("quantity").replaceChildren(element("p", { class: "problem" }, `Plan ${LETTERS[planChosen]} cannot be given: ${error.message}`));
  }
}

/** Fill the exports: the course of the quantity under every plan, or the row of the parameter. */
function drawMechanismExports(entry, person, plans, years) {
  const simulated = model.outputIndex.has(entry.name), asked = { person: person.name, years, outputs: [entry.name] };
  const courses = () => plans.map((plan) => lifeUnder(plan, person, years).result.values(entry.name));
  const told = ["name", "label", "value", "unit", "low", "high", "role", "source", "locator", "grade", "note"];
  drawExports($("mechanism-exports"), "mechanism", simulated ? {
    csv: () => {
      const lives = courses();
      return [["time [day]", ...plans.map((_, k) => `${entry.name} ${LETTERS[k]} [${entry.unit}]`)], ...evenTimes(years).map((day, i) => [day, ...lives.map((life) => life[i])])];
    },
    commands: `${entry.owner ? `betapod model show ${model.name} ${inShell(entry.owner)}\n` : ""}${byPlan(plans, (plan) => commandOf(asked, plan))}`,
    python: `import betapod\n${byPlan(plans, (plan) => pythonOf(asked, plan))}`,
  } : {
    csv: () => [told, told.map((key) => entry[key])], commands: `betapod params show ${model.name} ${entry.name}`,
    python: `import betapod\nmodel = betapod.load_model("${model.name}")\nprint(model.${entry.kind === "input" ? "inputs" : "parameters"}["${entry.name}"])`,
  });
}

const linkTo = (name, words = name) => element("a", { href: addressOfQuantity(name) }, words);

function quantityParts(entry, life, at, valueOf) {
  const kinds = { state: "state: it has a memory, and its equation is its rate per day", equation: "equation: it follows from others at once", input: "input: set by a person, a plan or a protocol", parameter: "parameter" };
  const formula = element("div", { class: "scroll formula", tabindex: 0, role: "region", "aria-label": `Equation of ${entry.name}` });
  formula.innerHTML = entry.formula ?? "";
  return [
    element("h3", { id: "quantity-title", tabindex: -1 }, `${entry.name}: ${entry.label}`),
    element("p", { class: "big" }, `${shown(valueOf(entry.name), 5)}${inItsUnit(entry.unit)}`),
    element("p", { class: "small" }, `${kinds[entry.kind]}${entry.owner ? `; submodel ${entry.owner}` : ""}`),
    entry.formula ? formula : sourceOf(entry),
    neighbours(entry, valueOf),
    ...termParts(entry, life, at, valueOf),
    ...parametersOf(entry, life),
    element("div", { id: "why" }),
    courseOf(entry),
    ...sameSubmodel(entry),
  ];
}

/** Return what is known of a parameter: its range, where it comes from, and how sure that is. */
function sourceOf(entry) {
  const works = entry.source.split(/[;\s]+/).filter(Boolean).map((key) => {
    const work = book.works[key];
    return element("span", {}, work?.link ? element("a", { href: work.link, rel: "noreferrer" }, work.text || key) : (work?.text || key));
  });
  const range = entry.low === null && entry.high === null ? "" : `; plausible ${shown(entry.low ?? NaN, 4)} to ${shown(entry.high ?? NaN, 4)}`;
  return element("dl", {},
    element("dt", {}, "Value of the tables"), element("dd", {}, `${shown(entry.value, 6)}${inItsUnit(entry.unit)}${range}`),
    element("dt", {}, "Where it is from"), element("dd", {}, `${entry.role}${entry.grade ? `, grade ${entry.grade}` : ""}${entry.locator ? `; ${entry.locator}` : ""}`, works.length ? ["; ", ...works] : ""),
    ...(entry.note ? [element("dt", {}, "Note"), element("dd", {}, entry.note)] : []));
}

/** Return the part of the graph around a quantity: what it is computed from, itself, and what is computed from it. */
function neighbours(entry, valueOf) {
  const quantity = (name) => ["state", "equation", "input"].includes(book.entries.get(name)?.kind);
  const chip = (name) => element("li", {}, element("a", { href: addressOfQuantity(name), class: `chip-${book.entries.get(name).kind}`, title: book.entries.get(name).label },
    name, element("span", { class: "small" }, ` ${shown(valueOf(name), 4)}`)));
  const column = (names, title, kind) => element("div", {}, element("h4", {}, title), names.length ? element("ul", { class: `chips ${kind}` }, ...names.map(chip)) : element("p", { class: "small" }, "nothing"));
  const wires = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  wires.setAttribute("class", "wires");
  wires.setAttribute("aria-hidden", "true");
  return element("div", { class: "graph", id: "graph" }, wires,
    column(entry.reads.filter(quantity), "Computed from", "from"),
    element("div", { class: "here" }, element("h4", {}, "This"), element("p", { class: `chip-${entry.kind}`, id: "graph-here" }, entry.name, element("span", { class: "small" }, ` ${shown(valueOf(entry.name), 4)}`))),
    column(entry.readers, "Others computed from it", "to"));
}

/** Draw lines between the chips, where they stand beside each other. */
function drawWires() {
  const graph = $("graph"), frame = graph.getBoundingClientRect(), wires = graph.querySelector(".wires"), here = $("graph-here").getBoundingClientRect();
  wires.setAttribute("viewBox", `0 0 ${Math.max(1, frame.width)} ${Math.max(1, frame.height)}`);
  const middle = here.top + here.height / 2 - frame.top;
  wires.replaceChildren(...[...graph.querySelectorAll(".chips a")].map((chip) => {
    const box = chip.getBoundingClientRect(), before = Boolean(chip.closest(".from")), y = box.top + box.height / 2 - frame.top;
    const [x1, y1, x2, y2] = before ? [box.right - frame.left, y, here.left - frame.left, middle] : [here.right - frame.left, middle, box.left - frame.left, y];
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", `M${x1} ${y1}C${(x1 + x2) / 2} ${y1} ${(x1 + x2) / 2} ${y2} ${x2} ${y2}`);
    return path;
  }));
}

/** Return how what an equation is computed from has changed, where it is no sum. */
function changedParts(entry, life, at, valueOf) {
  const before = valuesAt(life, 0), names = [...entry.reads.filter((name) => book.entries.get(name)?.kind !== "parameter"), entry.name];
  const line = (name) => element("tr", {}, element("th", { scope: "row" }, name === entry.name ? name : linkTo(name)),
    ...[before(name), valueOf(name), valueOf(name) - before(name)].map((value) => element("td", {}, shown(value, 4))));
  return [element("h4", {}, "What has changed"), element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "What has changed" },
    element("table", {}, element("thead", {}, element("tr", {}, ...["quantity", "today", "now", "change"].map((head) => element("th", { scope: "col" }, head)))), element("tbody", {}, ...names.map(line))))];
}

function termParts(entry, life, at, valueOf) {
  if (entry.kind === "equation" && entry.terms.length < 2) return changedParts(entry, life, at, valueOf);
  if (!entry.terms.length) return [];
  const rows = termsNow(entry, valueOf, book.functions), start = termsNow(entry, valuesAt(life, 0), book.functions);
  const state = entry.kind === "state", since = state && at ? changeSince(entry, life, at, book) : null;
  const printed = (html) => {
    const cell = element("th", { scope: "row" });
    cell.innerHTML = html;
    return cell;
  };
  const last = (k) => (state ? (since ? since.terms[k] : NaN) : rows[k] - start[k]), sum = (list) => list.reduce((a, b) => a + b, 0);
  const total = state ? life.result.values(entry.name)[at] - life.result.values(entry.name)[0] : sum(rows) - sum(start);
  const line = (head, ...cells) => element("tr", {}, head, ...cells.map((cell) => element("td", {}, cell)));
  const heads = state ? ["term of the rate", "per day now", "in all since today"] : ["term", "now", "change since today"];
  const rest = since ? [line(element("th", { scope: "row" }, "given as doses, or between the times seen"), "", shown(since.rest, 4))] : [];
  return [
    element("h4", {}, state ? "What moves it" : "Its terms"),
    element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Terms of the equation" }, element("table", { id: "terms" },
      element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))),
      element("tbody", {}, ...entry.terms.map((term, k) => line(printed(term.printed), shown(rows[k], 4), shown(last(k), 4))), ...rest,
        line(element("th", { scope: "row" }, "sum"), shown(sum(rows), 4), shown(at ? total : NaN, 4))))),
  ];
}

function parametersOf(entry, life) {
  const rows = entry.reads.map((name) => book.entries.get(name)).filter((one) => one?.kind === "parameter");
  if (!rows.length) return [];
  return [
    element("h4", {}, "Its numbers and where they are from"),
    element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Parameters of the equation" }, element("table", {},
      element("thead", {}, element("tr", {}, ...["parameter", "value here", "from", "grade"].map((head) => element("th", { scope: "col" }, head)))),
      element("tbody", {}, ...rows.map((row) => element("tr", {}, element("th", { scope: "row" }, linkTo(row.name), element("span", { class: "small" }, ` ${row.label}`)),
        element("td", {}, `${shown(life.options.values[row.name] ?? row.value, 4)}${inItsUnit(row.unit)}`), element("td", {}, row.source || row.role), element("td", {}, row.grade || "–")))))),
  ];
}

/** Return the course of a quantity under every plan. */
function courseOf(entry) {
  const { person, plans, years, year } = chosenNow();
  if (!model.outputIndex.has(entry.name)) return null;
  const cursor = Math.round(Math.min(yearChosen ?? year, years) / years * (POINTS - 1)), lines = [];
  plans.forEach((plan, k) => {
    try {
      lines.push({ label: LETTERS[k], kind: `p${k}`, values: lifeUnder(plan, person, years).result.values(entry.name) });
    } catch { /* a plan that cannot be given has no line, and the view of the person says why */ }
  });
  const axis = evenTimes(years).map((day) => day / DAYS);
  return element("figure", { class: "course" }, element("figcaption", {}, `${entry.name} over the years`, pictureButtons(`${entry.name} over the years`)), lineChart({ title: entry.name, unit: entry.unit, years: axis, lines, zero: false, cursor }),
    element("p", { class: "small" }, plans.map((plan, k) => `${LETTERS[k]}: ${wordsOf(plan)}`).join("; ")));
}

function sameSubmodel(entry) {
  if (!entry.owner) return [];
  const others = book.quantities.filter((one) => one.owner === entry.owner && one.name !== entry.name);
  return others.length ? [element("h4", {}, `Also in ${entry.owner}`), element("p", {}, ...others.flatMap((one, k) => [k ? ", " : "", linkTo(one.name)]))] : [];
}

/** Say why the plan differs from plan A in the quantity at the time: parts that sum to the difference. */
async function drawWhy(entry, person, plans, year) {
  const room = $("why"), asked = (latestWhy += 1);
  if (!model.outputIndex.has(entry.name) || planChosen === 0) {
    room.replaceChildren(paragraph(planChosen === 0 ? "Choose another plan than A to see why it differs from A." : "", "small") ?? "");
    return;
  }
  room.replaceChildren(element("h4", {}, "Why it differs from plan A"), element("p", { class: "small", role: "status" }, "Parts are taken away and put back ..."));
  try {
    const why = await whyChanged(person, [plans[0], plans[planChosen]], year, entry.name, pool(), () => asked === latestWhy);
    if (asked === latestWhy) room.replaceChildren(...whyTable(entry, why, year));
  } catch (error) {
    if (asked === latestWhy) room.replaceChildren(element("p", { class: "problem" }, `Why it differs cannot be said: ${error.message}`));
  }
}

function whyTable(entry, why, year) {
  const unit = inItsUnit(entry.unit), most = Math.max(...why.parts.map((part) => Math.abs(part.share)), 1e-300);
  const bar = (share) => element("meter", { min: 0, max: 1, value: Math.abs(share) / most, "aria-label": `${Math.round((100 * Math.abs(share)) / most)} % of the largest part` });
  return [
    element("h4", {}, "Why it differs from plan A"),
    element("p", {}, `In year ${shown(year)} it is ${shown(why.to, 4)} rather than ${shown(why.from, 4)}${unit}: a difference of ${shown(why.total, 4)}. Its parts:`),
    element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Why it differs from plan A" }, element("table", { id: "why-parts" },
      element("thead", {}, element("tr", {}, ...["part", `share${unit ? `,${unit}` : ""}`, "size"].map((head) => element("th", { scope: "col" }, head)))),
      element("tbody", {}, ...why.parts.map((part) => element("tr", {}, element("th", { scope: "row" }, part.input ? linkTo(part.input, part.label) : part.label),
        element("td", { "data-share": part.share }, shown(part.share, 4)), element("td", {}, bar(part.share)))),
        element("tr", {}, element("th", { scope: "row" }, "sum"), element("td", { "data-total": why.total }, shown(why.total, 4)), element("td", {}))))),
    element("p", { class: "small" }, "Each part is what it adds on average over the orders in which parts can be put in (Shapley values), so that joint effects are shared and the parts sum to the difference."),
  ];
}

function beginMechanism() {
  $("mech-quantity").addEventListener("change", (event) => {
    const name = event.target.value.trim();
    if (!book?.entries.has(name)) return;
    event.target.value = "";
    location.hash = addressOfQuantity(name);
  });
  $("mech-plan").addEventListener("change", (event) => { planChosen = Number(event.target.value); drawMechanism(); });
  $("mech-time").addEventListener("input", (event) => { yearChosen = (Number(event.target.value) * chosenNow().years) / (POINTS - 1); drawMechanism(); });
  new ResizeObserver(() => $("graph") && !$("view-mechanism").hidden && drawWires()).observe($("quantity"));
}

async function openMechanism(parts) {
  book ??= bookOf(await dataOf("data-mechanism"));
  if (!$("mech-list").options.length) $("mech-list").replaceChildren(...[...book.entries.values()].map((entry) => option(entry.name, entry.label, "")));
  if (parts.has("p")) takeAddress();
  const before = quantityChosen;
  if (book.entries.has(parts.get("q"))) quantityChosen = parts.get("q");
  if (parts.has("w")) planChosen = Math.max(0, Math.min(Number(parts.get("w")) || 0, chosenNow().plans.length - 1));
  if (parts.get("t")) yearChosen = Math.max(0, Number(parts.get("t")) || 0);
  drawMechanism();
  if (before !== quantityChosen) $("quantity-title").focus();
}

export const mechanismView = { name: "mechanism", title: "Mechanism", begin: beginMechanism, open: openMechanism };

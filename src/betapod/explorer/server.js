/** The view of the server that the page came from: whole trials, pooled evidence, the whole library, models of one's own. */

import { $, counted, dataOf, element, option, paragraph, scrolledTable } from "./parts.js";
import { lineChart, shown } from "./chart.js";
import { runParts } from "./run_folder.js";

const TOKEN = "betapod-token", ENDED_STATES = ["complete", "cancelled", "failed", "interrupted"];
/** Quantities of a model of one's own that are drawn at most, and the model that is filled in. */
const MOST_DRAWN = 12;
const OWN_EQUATIONS = `reads intake [mg/day]
dA/dt = intake - k*A  [mg/day]  amount in the body
A(0)  = A0            [mg]
C     = A/V           [mg/L]    concentration
`, OWN_NUMBERS = `id,value,unit
intake,0,mg/day
k,0.5,1/day
A0,100,mg
V,40,L
`;

let token = "", listedTrials = new Map();
const followedTrials = new Set();

/** What the server refuses: everything that is wrong at once. */
class Refused extends Error {
  constructor(problems) {
    super(problems.map((one) => one.message).join("; "));
    this.problems = problems;
  }
}

/** Ask the server; what it refuses is thrown. */
async function askServer(path, body, method = body === undefined ? "GET" : "POST") {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(`api/${path}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new Refused([{ message: "The server does not answer: it was ended, or cannot be reached.", hint: "Begin it again: betapod serve." }]);
  }
  if (answer.ok) return answer;
  const told = await answer.json().catch(() => ({}));
  throw new Refused(told.problems ?? [{ message: `The server refuses this (${answer.status}).` }]);
}

const answerOf = async (path, body, method) => (await askServer(path, body, method)).json();

const problemPlace = ({ file, line, column }) => [file, line, column].filter(Boolean).join(":");

function problemParts(problems) {
  const part = (one) => element("div", { class: "problem" }, element("p", {}, [problemPlace(one), one.message].filter(Boolean).join(": ")),
    one.context ? element("pre", {}, one.column ? `${one.context}\n${" ".repeat(one.column - 1)}^` : one.context) : null,
    paragraph([one.found && `found ${one.found}`, one.expected && `expected ${one.expected}`].filter(Boolean).join("; "), "small"), paragraph(one.hint, "small"));
  return problems.map(part);
}

/** Do something that asks the server, and show in a room what comes of it, or what is wrong; the button rests meanwhile. */
async function shownIn(room, button, ask) {
  $(button).disabled = true;
  $(room).replaceChildren(element("p", { class: "small" }, "The server is at work."));
  try {
    $(room).replaceChildren(...[await ask()].flat());
  } catch (error) {
    $(room).replaceChildren(...problemParts(error.problems ?? [{ message: error.message }]));
  } finally {
    $(button).disabled = false;
  }
}

// -- trials ---------------------------------------------------------------------------------------------------------------

async function showProtocol() {
  const name = $("server-protocol").value, { text, replicates } = await answerOf(`protocols/${encodeURIComponent(name)}`);
  $("server-text").value = text;
  $("server-replicates").value = String(Math.min(replicates, 100));
}

/** Return what is asked of the server for the text and the number that were typed. */
function trialTyped() {
  const typed = $("server-replicates").value.trim(), body = { text: $("server-text").value };
  if (!typed) return body;
  if (!/^\d+$/.test(typed)) throw new Refused([{ message: `Simulated trials: ${typed}; a whole number such as 100 is expected.` }]);
  return { ...body, replicates: Number(typed) };
}

async function checkTrial() {
  const told = await answerOf("trials/check", trialTyped());
  return [element("p", {}, `${told.title || told.name}: nothing is wrong. A run takes ${told.run_takes} (estimated).`), ...[...told.sentences, ...Object.values(told.looks)].map((text) => paragraph(text, "small"))];
}

async function runTrial() {
  const status = await answerOf("trials", trialTyped());
  showStatus(status);
  followTrial(status.name);
  return paragraph(status.state === "complete" ? `${status.title} was run before: its results are below.` : `${status.title} is run.`);
}

/** Show the state of a trial as it changes, until it ends. */
async function followTrial(name) {
  if (followedTrials.has(name)) return;
  followedTrials.add(name);
  try {
    const answer = await askServer(`trials/${name}/events`), reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let rest = ""; ;) {
      const { value, done } = await reader.read();
      if (done) break;
      const blocks = (rest + value).split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) {
        const line = block.split("\n").find((text) => text.startsWith("data: "));
        if (line) showStatus(JSON.parse(line.slice(6)));
      }
    }
  } catch (error) {
    $("server-said").replaceChildren(...problemParts(error.problems ?? [{ message: "The server was ended; trials that were running can be resumed when it is there again." }]));
  } finally {
    followedTrials.delete(name);
  }
}

/** Put a trial into the list as it is now; buttons keep the place of the keyboard. */
function showStatus(status) {
  $("server-none").hidden = true;
  const { name, state, done, total } = status, before = listedTrials.get(name), seen = before?.status ?? {};
  listedTrials = new Map([[name, { ...before, status }], ...[...listedTrials].filter(([other]) => other !== name)]);
  if (before && seen.state === state) {
    before.words.textContent = wordsOfStatus(status);
    before.meter.value = total ? done / total : 0;
    return;
  }
  const act = (text, how) => element("button", { type: "button", "aria-label": `${text}: ${status.title}`, onclick: how }, text);
  const change = (verb) => () => shownIn("server-said", "server-run", async () => {
    const told = await answerOf(`trials/${name}/${verb}`, undefined, "POST");
    showStatus(told);
    followTrial(name);
    return paragraph(`${told.title}: ${told.state}.`);
  });
  const buttons = ENDED_STATES.includes(state)
    ? [state === "complete" ? act("Show", () => showResult(name)) : act("Resume", change("resume")), act("Save the folder", () => saveFolder(name))]
    : [act("Cancel", change("cancel"))];
  const words = element("p", { class: "small", role: "status" }, wordsOfStatus(status)), meter = element("meter", { min: 0, max: 1, value: total ? done / total : 0, "aria-label": `How far: ${status.title}` });
  const entry = element("li", { "data-trial": name, "data-state": state }, element("p", { class: "top" }, element("strong", {}, status.title), element("span", {}, state)), ENDED_STATES.includes(state) ? null : meter, words, ...problemParts(status.problems ?? []), element("p", { class: "row actions" }, ...buttons));
  if (before) before.entry.replaceWith(entry);
  else $("server-trials").prepend(entry);
  listedTrials.set(name, { status, entry, words, meter });
}

const wordsOfStatus = ({ name, state, activity, done, total }) => (state === "running" ? `${activity}${total ? `, ${done} of ${counted(total, "part")}` : ""}` : state === "waiting" ? `waits: ${activity}` : state === "complete" ? name : `${name}: ${done} of ${counted(total, "part")} computed`);

async function showResult(name) {
  try {
    $("server-result").replaceChildren(...runParts(await answerOf(`trials/${name}/summary`)));
    $("server-result").querySelector("h3").setAttribute("tabindex", "-1");
    $("server-result").querySelector("h3").focus();
  } catch (error) {
    $("server-result").replaceChildren(...problemParts(error.problems ?? [{ message: error.message }]));
  }
}

async function saveFolder(name) {
  try {
    const address = URL.createObjectURL(await (await askServer(`trials/${name}/folder`)).blob());
    element("a", { download: `${name}.zip`, href: address }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  } catch (error) {
    $("server-said").replaceChildren(...problemParts(error.problems ?? [{ message: error.message }]));
  }
}

// -- evidence -------------------------------------------------------------------------------------------------------------

async function poolChosen() {
  const chosen = [["product", "server-product"], ["endpoint", "server-endpoint"], ["population", "server-people"]].map(([key, id]) => [key, $(id).value]).filter(([, value]) => value);
  const across = chosen.some(([key]) => key === "population") ? [] : [["across", "population"]];
  const told = await answerOf(`evidence/pool?${new URLSearchParams([...chosen, ...across])}`), unit = told.unit === "1" ? "" : ` ${told.unit}`;
  const interval = (row) => `${shown(row.estimate)} (${shown(row.low)} to ${shown(row.high)})`;
  return [
    element("p", { class: "big" }, `${shown(told.estimate)} (${shown(told.ci[0])} to ${shown(told.ci[1])})${unit}`),
    element("p", {}, `${told.endpoint}: ${told.measure}, ${counted(told.k, "study", "studies")}. Certainty ${told.certainty.level}${told.certainty.downgrades.length ? `: ${told.certainty.downgrades.map((one) => one.reason).join("; ")}` : ""}.`),
    scrolledTable("Studies that were pooled", "server-studies", ["study", "arm", "people", "estimate", "weight, %"], told.table.map((row) => [row.study, row.arm, shown(row.n ?? NaN), interval(row), shown(row.weight_percent, 2)])),
    ...told.reasons.map((text) => paragraph(text, "small")),
  ];
}

// -- the whole library ------------------------------------------------------------------------------------------------------

/** Return what is asked of the server for the labs that the address of their view has. */
async function patientTyped() {
  const address = document.querySelector('nav a[data-view="labs"]').getAttribute("href"), typed = new URLSearchParams(address.replace(/^#/, "")), folk = await dataOf("data-library"), labs = {};
  for (const lab of [...folk.labs, ...folk.equationLabs]) {
    const unit = lab.units[Number(typed.get(`${lab.name}_unit`) ?? 0)] ?? lab.units[0];
    if (typed.get(lab.name)) labs[lab.name] = `${typed.get(lab.name)}${unit.unit === "1" ? "" : ` ${unit.unit}`}`;
  }
  const list = (key) => (typed.get(key) ?? "").split("|").filter(Boolean), one = (key, words) => words[typed.get(key)] ?? "";
  if (!Object.keys(labs).length) throw new Refused([{ message: "No labs were typed yet: open the view Labs and type what is known." }]);
  return { labs, sex: one("female", { 0: "male", 1: "female" }), diabetes: one("type1", { 0: "2", 1: "1" }), drugs: list("takes"), options: list("try") };
}

async function askLibrary() {
  const told = await answerOf("patient", await patientTyped());
  const table = ({ caption, header, rows }, k) => scrolledTable(caption, `server-table-${k}`, header, rows);
  return [element("p", {}, element("strong", {}, told.stage)), element("ol", {}, ...told.sentences.map((text) => element("li", {}, text))), ...told.tables.flatMap(table), ...told.notes.map((text) => paragraph(text, "small")), paragraph(told.trust, "small")];
}

// -- a model of one's own -----------------------------------------------------------------------------------------------------

const modelTyped = () => ({ equations: $("server-equations").value, parameters: $("server-parameters").value });

async function checkModel() {
  const told = await answerOf("models/check", modelTyped()), size = (key) => Object.keys(told[key]).length;
  return paragraph(`Nothing is wrong: ${counted(size("states"), "state")}, ${counted(size("equations"), "equation")}, ${counted(size("parameters"), "parameter")}, ${counted(size("inputs"), "input")}; time in ${told.time_unit}.`);
}

async function simulateOwn() {
  const until = Number($("server-until").value.replace(",", "."));
  if (!(until > 0)) throw new Refused([{ message: `Until: ${$("server-until").value || "nothing"}; a number above 0 is expected.` }]);
  const told = await answerOf("simulate", { ...modelTyped(), until });
  const drawn = Object.entries(told.columns).filter(([, column]) => column.kind !== "input").slice(0, MOST_DRAWN);
  const figure = ([name, { unit, label, values }]) => element("figure", {}, element("figcaption", {}, `${name}, ${unit}`), lineChart({ title: label || name, unit, years: told.times, lines: [{ label: name, kind: "p0", values: values.map((value) => value ?? NaN) }], zero: false, cursor: null, along: told.time_unit }));
  const events = told.events.map(({ time, event }) => paragraph(`${event} at ${shown(time)} ${told.time_unit}`, "small"));
  return [element("div", { class: "charts" }, ...drawn.map(figure)), ...events, ...told.warnings.map((text) => paragraph(text, "small"))];
}

// -- the view -------------------------------------------------------------------------------------------------------------

/** Take the token out of the address, where it would be sent along with a copied link. */
function takeToken() {
  const parts = new URLSearchParams(location.hash.replace(/^#/, "")), told = parts.get("token");
  if (told) {
    sessionStorage.setItem(TOKEN, told);
    parts.delete("token");
    history.replaceState(null, "", `#${parts}`);
  }
  token = sessionStorage.getItem(TOKEN) ?? "";
}

function beginServer() {
  takeToken();
  $("server-equations").value = OWN_EQUATIONS;
  $("server-parameters").value = OWN_NUMBERS;
  $("server-until").value = "10";
  const press = { check: ["said", checkTrial], run: ["said", runTrial], pool: ["pooled", poolChosen], patient: ["answer", askLibrary], assemble: ["model", checkModel], simulate: ["model", simulateOwn] };
  for (const [button, [room, ask]] of Object.entries(press)) $(`server-${button}`).addEventListener("click", () => shownIn(`server-${room}`, `server-${button}`, ask));
  $("server-protocol").addEventListener("change", () => shownIn("server-said", "server-check", async () => { await showProtocol(); return []; }));
}

/** Fill the lists from the server, once. */
async function openServer() {
  if ($("server-protocol").options.length) return;
  try {
    const [{ protocols }, { trials }, ...words] = await Promise.all(["protocols", "trials", ...["product", "endpoint", "population"].map((column) => `evidence/terms/${column}`)].map((path) => answerOf(path)));
    $("server-protocol").replaceChildren(...protocols.map(({ name, title }) => option(name, title ? `${name}: ${title}` : name, "")));
    for (const [k, id] of ["server-product", "server-endpoint", "server-people"].entries()) $(id).replaceChildren(option("", "all", ""), ...words[k].terms.map(({ name, records }) => option(name, `${name} (${records})`, "")));
    for (const status of trials.reverse()) {
      showStatus(status);
      if (!ENDED_STATES.includes(status.state)) followTrial(status.name);
    }
    await showProtocol();
    $("server-asked").replaceChildren();
  } catch (error) {
    $("server-asked").replaceChildren(...problemParts(error.problems ?? [{ message: error.message }]));
  }
}

export const serverView = { name: "server", title: "Server", begin: beginServer, open: openServer };

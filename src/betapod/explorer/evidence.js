/** The view of the evidence: published numbers beside the interval that the model gave for each, to be filtered and sorted. */

import { drawExports, inPython, inShell, pictureButtons, stackedPicture } from "./exports.js";
import { addressIn, capital, $, counted, dataOf, element, option, setAddress } from "./parts.js";
import { intervalPicture } from "./intervals.js";
import { shown, svgElement } from "./chart.js";

const ROW_FILTERS = { treatment: (row) => row.treatment, topic: (row) => row.topic, design: (row) => row.design, study: (row) => row.study,
  fitted: (row) => (row.fitted ? "yes" : "no"), inside: (row) => (row.inside ? "yes" : "no"),
  scenario: (row) => row.scenario };
const FIRST_ROWS = 25, MOST_Z = 5, Z90 = 1.645;
/** Share of its interval below which an expected number is 0 but for the tolerance of the integration. */
const NOTHING_OF = 1e-4;
const firstChoice = () => ({ treatment: "", topic: "", design: "", study: "", fitted: "", inside: "", scenario: "current-evidence", words: "", order: "study" });
let rowsChosen = firstChoice(), rowsShown = FIRST_ROWS;

const rowText = (row) => `${row.id} ${row.arm} ${row.product} ${row.treatment} ${row.others.join(" ")} ${row.endpoint} ${row.people}`.toLowerCase();
const ORDERS_OF_ROWS = {
  study: (a, b) => a.id.localeCompare(b.id, "en", { numeric: true }),
  miss: (a, b) => Math.abs(b.z) - Math.abs(a.z),
  endpoint: (a, b) => a.endpoint.localeCompare(b.endpoint) || a.id.localeCompare(b.id, "en", { numeric: true }),
  people: (a, b) => (b.n ?? 0) - (a.n ?? 0),
};

/** Return the rows that fit; those without cells are the same under every scenario. */
function fittingRows(rows) {
  const words = rowsChosen.words.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter((row) => Object.entries(ROW_FILTERS).every(([key, of]) => !rowsChosen[key] || of(row) === rowsChosen[key] || (key === "scenario" && (rowsChosen.scenario === "all" || !row.scenario)))
    && words.every((word) => rowText(row).includes(word))).sort(ORDERS_OF_ROWS[rowsChosen.order]);
}

const percent = (part, all) => `${Math.round((100 * part) / all)} %`;

/** Return how many rows lie inside, in words. */
function insideWords(rows) {
  if (!rows.length) return "No published number fits.";
  const inside = rows.filter((row) => row.inside).length, wide = rows.filter((row) => row.insideAll !== null);
  const text = `${inside} of ${counted(rows.length, "published number")} (${percent(inside, rows.length)}) inside the model's 90 % interval of chance and parameters`;
  if (!wide.length) return `${text}.`;
  const all = wide.filter((row) => row.insideAll).length;
  return `${text}; ${all} of ${wide.length} (${percent(all, wide.length)}) with what the model lacks added to it.`;
}

function drawEvidence(data) {
  const rows = fittingRows(data.rows);
  setAddress("evidence", addressIn("evidence", rowsChosen));
  for (const key of [...Object.keys(ROW_FILTERS), "words", "order"]) {
    if ($(`row-${key}`).value !== rowsChosen[key]) $(`row-${key}`).value = rowsChosen[key];
  }
  $("rows-count").textContent = insideWords(rows);
  $("rows-picture").replaceChildren(...(rows.length ? [missPicture(rows)] : []));
  $("rows-shares").replaceChildren(...sharesTable(rows));
  const seen = rows.slice(0, rowsShown);
  $("rows").replaceChildren(...seen.map((row) => rowItem(row, data.studies[row.study])));
  drawEvidenceExports(rows, data.rows.filter((row) => !row.scenario || row.scenario === rowsChosen.scenario).length);
  $("rows-more").hidden = rows.length <= rowsShown;
  $("rows-more").textContent = `Show ${Math.min(FIRST_ROWS * 4, rows.length - rowsShown)} more of ${rows.length}`;
}

/** Return a picture of how far numbers lie from what the model expected: one dot each, by class of treatment. */
function missPicture(rows) {
  const classes = [...new Set(rows.map((row) => row.treatment))].sort(), left = 158, wide = 480, lane = 22, high = classes.length * lane + 40;
  const x = (z) => left + ((Math.max(-MOST_Z, Math.min(MOST_Z, z)) + MOST_Z) / (2 * MOST_Z)) * (wide - left - 12);
  const words = classes.map((name) => {
    const own = rows.filter((row) => row.treatment === name);
    return `${name}: ${own.filter((row) => row.inside).length} of ${own.length} inside`;
  });
  const svg = svgElement("svg", { viewBox: `0 0 ${wide} ${high}`, role: "img", "aria-label": `Distance from the expected number in SDs of the interval. ${words.join("; ")}.` });
  svg.append(svgElement("rect", { class: "band", x: x(-Z90), y: 4, width: x(Z90) - x(-Z90), height: high - 36 }));
  classes.forEach((name, k) => {
    const y = 4 + lane * (k + 0.5);
    svg.append(svgElement("text", { x: left - 8, y: y + 4, "text-anchor": "end" }, name.replace(/, .*/, "")));
    rows.filter((row) => row.treatment === name).forEach((row, i) => svg.append(svgElement("circle",
      { class: row.inside ? "dot small-dot" : "dot small-dot outside", cx: x(row.z), cy: y + ((i % 5) - 2) * 2.6, r: 2.6 }, svgElement("title", {}, `${row.id}, ${row.endpoint}`))));
  });
  for (const z of [-4, -2, 0, 2, 4]) svg.append(svgElement("text", { x: x(z), y: high - 18, "text-anchor": "middle" }, shown(z)));
  svg.append(svgElement("text", { x: (left + wide) / 2, y: high - 3, "text-anchor": "middle" }, "SDs above what the model expects"));
  return svg;
}

function sharesTable(rows) {
  const topics = [...new Set(rows.map((row) => row.topic))].sort();
  const line = (name, own) => element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, String(own.length)),
    element("td", {}, own.length ? percent(own.filter((row) => row.inside).length, own.length) : "–"));
  return [element("caption", {}, "Inside the interval, by what is measured"),
    element("thead", {}, element("tr", {}, ...["measured", "numbers", "inside"].map((head) => element("th", { scope: "col" }, head)))),
    element("tbody", {}, ...topics.map((topic) => line(topic, rows.filter((row) => row.topic === topic))))];
}

const inUnit = (unit) => (unit && unit !== "1" ? ` ${unit}` : "");

function rowItem(row, study) {
  const expected = Math.abs(row.predicted) > NOTHING_OF * (row.high - row.low) ? row.predicted : 0, numbers = `observed ${shown(row.observed)}, model ${shown(expected)} (90 % ${shown(row.low)} to ${shown(row.high)})${inUnit(row.unit)}`;
  const about = [row.n ? `${row.n} people` : "", row.weeks !== null ? `week ${shown(row.weeks)}` : "", row.design, row.scenario ? `scenario ${row.scenario}` : "", row.fitted ? "parameters were fitted to it" : "no parameter was fitted to it"].filter(Boolean).join(" · ");
  return element("li", {},
    element("p", { class: "top" }, element("strong", {}, `${row.study}: ${row.endpoint}`), element("span", { class: row.inside ? "inside" : "outside" }, row.inside ? "inside" : "outside")),
    element("p", {}, row.arm),
    intervalPicture({ low: row.low, high: row.high, point: row.observed, marks: [{ value: row.predicted, kind: "none" }], log: row.log, words: numbers }),
    element("p", {}, capital(numbers)),
    element("p", { class: "small" }, about),
    element("details", {}, element("summary", {}, "Source and more", element("span", { class: "small" }, ` of ${row.id}`)),
      element("p", {}, study.citation, study.link ? [" ", element("a", { href: study.link, rel: "noreferrer" }, `doi:${study.doi}`)] : ""),
      element("p", { class: "small" }, `As printed: ${row.printed} (${row.kind}, ${row.contrast}; read in: ${row.level}). People of the model: ${row.people}. Given: ${[row.product, ...row.others].join(", ")}.`),
      element("p", { class: "small" }, `${shown(row.z)} SDs from what the model expects${row.zAll === null ? "" : `, ${shown(row.zAll)} with what the model lacks`}.`)));
}

function csvOfRows(rows) {
  const columns = ["id", "study", "arm", "product", "endpoint", "design", "n", "weeks", "unit", "fitted", "scenario", "observed", "predicted", "low", "high", "z", "inside"];
  return [columns, ...rows.map((row) => columns.map((name) => row[name] ?? ""))];
}

/** What `betapod trust` can be asked for; the other filters are of the page alone. */
const OF_COMMAND = { topic: "--endpoint", scenario: "--scenario" };

function drawEvidenceExports(rows, all) {
  const chosen = Object.entries(rowsChosen).filter(([key, value]) => value && key !== "order" && value !== "all"), alone = chosen.filter(([key]) => !(key in OF_COMMAND));
  const asked = chosen.filter(([key]) => key in OF_COMMAND).map(([key, value]) => `${OF_COMMAND[key]} ${inShell(value)}`);
  const besides = alone.length ? `\n# and of these the rows with ${alone.map(([key, value]) => `${key} ${value}`).join(", ")}` : "";
  const few = rows.length < all ? `\nnumbers = numbers[numbers["record"].isin([${rows.map((row) => inPython(row.id)).join(", ")}])]` : "";
  const pictures = () => stackedPicture("Published numbers beside the model", rows.slice(0, rowsShown).map((row, k) => ({ words: `${row.id} ${row.endpoint}, ${row.arm}`, picture: $("rows").children[k].querySelector("svg.interval") })));
  drawExports($("evidence-exports"), "evidence", {
    csv: () => csvOfRows(rows), commands: `betapod trust ${[...asked, "--rows"].join(" ")}${besides}`,
    python: `import betapod\nnumbers = betapod.trusted_numbers(scenario=${inPython(rowsChosen.scenario === "all" ? "current-evidence" : rowsChosen.scenario)})${few}`,
    more: rows.length ? [element("span", {}, "Small pictures"), pictureButtons("of the numbers shown", pictures)] : [],
  });
}

function beginEvidence() {
  const changed = () => dataOf("data-evidence").then(drawEvidence);
  for (const key of [...Object.keys(ROW_FILTERS), "words", "order"]) {
    $(`row-${key}`).addEventListener("input", (event) => {
      rowsChosen = { ...rowsChosen, [key]: event.target.value };
      rowsShown = FIRST_ROWS;
      changed();
    });
  }
  $("rows-all").addEventListener("click", () => {
    [rowsChosen, rowsShown] = [firstChoice(), FIRST_ROWS];
    changed();
  });
  $("rows-more").addEventListener("click", () => {
    const before = rowsShown;
    rowsShown += FIRST_ROWS * 4;
    changed().then(() => $("rows").children[before]?.querySelector("summary").focus());
  });
}

async function openEvidence(parts) {
  const data = await dataOf("data-evidence");
  if ($("row-topic").options.length < 2) {
    $("rows-caption").append(pictureButtons("how far from the model"));
    for (const key of ["treatment", "topic", "design", "study"]) {
      $(`row-${key}`).append(...[...new Set(data.rows.map(ROW_FILTERS[key]))].sort().map((value) => option(value, value)));
    }
    $("rows-told").textContent = `${data.compared} of ${counted(data.records, "published number")} of the registry can be held against the model. Its intervals were computed with ${data.computed.people} people for each cohort and ${counted(data.computed.draws, "draw")} of parameters${data.computed.fit ? `, fit ${data.computed.fit}` : ""}.`;
  }
  const fresh = parts.size > 1 ? firstChoice() : rowsChosen;
  rowsChosen = Object.fromEntries(Object.entries(fresh).map(([key, value]) => [key, choosable(key, parts.get(key)) ? parts.get(key) : value]));
  rowsShown = FIRST_ROWS;
  drawEvidence(data);
}

/** Whether a value of an address is one that can be chosen. */
function choosable(key, value) {
  if (value === null) return false;
  return key === "words" || [...$(`row-${key}`).options].some((one) => one.value === value);
}

export const evidenceView = { name: "evidence", title: "Evidence", begin: beginEvidence, open: openEvidence };

/** What every view uses: elements of the page, addresses, files to save, and data that are unpacked when they are first wanted. */

/** The bytes, or the text, that an element of the page holds: see start.js. */
export const { unpacked, unpackedText } = globalThis;

export const DATA = JSON.parse(await unpackedText("data"));
export const $ = (id) => document.getElementById(id);

/** Return an element with attributes (`on...`: what happens) and children. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== undefined && value !== null) made.setAttribute(key, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

export const option = (value, text, chosen) => element("option", { value, selected: value === chosen }, text);

/** Return a paragraph, or nothing where there are no words. */
export const paragraph = (words, kind) => (words ? element("p", { class: kind }, words) : null);

/** Return "3 people" or "1 person". */
export const counted = (number, noun, plural = `${noun}s`) => `${number} ${number === 1 ? noun : plural}`;

export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** Let somebody save a text as a file. */
export function save(name, text, kind) {
  element("a", { download: name, href: `data:${kind};charset=utf-8,${encodeURIComponent(text)}` }).click();
}

const quotedCell = (cell) => (/[",\n]/.test(cell) ? `"${String(cell).replaceAll('"', '""')}"` : String(cell ?? ""));

/** Return rows of cells as CSV. */
export const csvOf = (rows) => rows.map((row) => row.map(quotedCell).join(",")).join("\n") + "\n";

/** Return the rows of a CSV with a header, as objects of text. */
export function rowsOfCsv(text) {
  const cells = [[""]];
  let quoted = false;
  for (let k = 0; k < text.length; k += 1) {
    const letter = text[k], line = cells[cells.length - 1];
    if (quoted && letter === '"' && text[k + 1] === '"') {
      line[line.length - 1] += letter;
      k += 1;
    } else if (letter === '"') quoted = !quoted;
    else if (letter === "," && !quoted) line.push("");
    else if (letter === "\n" && !quoted) cells.push([""]);
    else if (letter !== "\r" || quoted) line[line.length - 1] += letter;
  }
  const [head, ...rows] = cells;
  return rows.filter((row) => row.length === head.length).map((row) => Object.fromEntries(head.map((name, k) => [name, row[k]])));
}

/** Return a table in a room of its own, which is scrolled where it is wide. */
export const scrolledTable = (label, id, heads, rows) => element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": label }, element("table", { id: id || null },
  element("caption", {}, label), element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))),
  element("tbody", {}, ...rows.map(([first, ...cells]) => element("tr", {}, element("th", { scope: "row" }, first), ...cells.map((cell) => element("td", {}, cell)))))));

export const inPercent = (value) => (value === null || value === undefined ? "–" : `${Math.round(100 * value)} %`);

const unpackedData = new Map();

/** Return what the page holds for a view: a promise of plain values, read once; what could not be had is asked for again the next time. */
export function dataOf(id) {
  if (!unpackedData.has(id)) {
    const read = unpackedText(id).then(JSON.parse);
    read.catch(() => unpackedData.delete(id));
    unpackedData.set(id, read);
  }
  return unpackedData.get(id);
}

/** Name of the view that is seen. */
export const viewNow = () => document.body.dataset.view;

/** Say at which address a view is as it is now: the page's own, if it is seen, and where its name in the list of views leads to. */
export function setAddress(view, address) {
  document.querySelector(`nav a[data-view="${view}"]`).setAttribute("href", address);
  if (viewNow() === view) history.replaceState(null, "", address);
}

/** Return the address of a view with what is chosen there; what is empty is left out. */
export function addressIn(view, chosen) {
  const parts = Object.entries(chosen).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return `#${new URLSearchParams([["v", view], ...parts])}`;
}

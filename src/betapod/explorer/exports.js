/** What can be taken out of every view: pictures as SVG and PNG, numbers as CSV, the address, and the command and the Python that give the same. */

import { svgElement } from "./chart.js";
import { csvOf, element, save } from "./parts.js";

/** Properties of a picture that the page's style gives it, and that it keeps when it stands alone. */
const KEPT = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-linejoin", "paint-order", "font-family", "font-size", "font-weight"];
/** Pixels of a PNG for one unit of the picture. */
const SHARPNESS = 3;

/** Return a picture that needs no style but its own: with its size, its words, and paper below it. */
function standing(svg) {
  const copy = svg.cloneNode(true), copies = [copy, ...copy.querySelectorAll("*")];
  [svg, ...svg.querySelectorAll("*")].forEach((one, k) => {
    const style = getComputedStyle(one);
    for (const name of KEPT) if (style.getPropertyValue(name)) copies[k].setAttribute(name, style.getPropertyValue(name));
    copies[k].removeAttribute("class");
  });
  const [left, top, width, height] = svg.getAttribute("viewBox").split(/[ ,]+/).map(Number);
  copy.prepend(svgElement("title", {}, svg.getAttribute("aria-label") ?? ""),
    svgElement("rect", { x: left, y: top, width, height, fill: getComputedStyle(document.body).backgroundColor, stroke: "none" }));
  copy.setAttribute("width", width);
  copy.setAttribute("height", height);
  return { text: new XMLSerializer().serializeToString(copy), width, height };
}

async function savePng(name, { text, width, height }) {
  const image = new Image(), canvas = element("canvas", { width: SHARPNESS * width, height: SHARPNESS * height });
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  const address = URL.createObjectURL(await new Promise((resolve) => { canvas.toBlob(resolve, "image/png"); }));
  element("a", { download: `${name}.png`, href: address }).click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

const fileName = (title) => `betapod-${title.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "")}`;

function savePicture(title, svg, kind) {
  if (kind === "PNG") savePng(fileName(title), standing(svg));
  else save(`${fileName(title)}.svg`, standing(svg).text, "image/svg+xml");
}

/** Return two buttons that save the picture of the figure in which they stand, or the one that is given. */
export const pictureButtons = (title, pictureOf) => element("span", { class: "saves" }, ...["SVG", "PNG"].map((kind) => element("button", {
  type: "button", "aria-label": `Save the picture ${title} as ${kind}`,
  onclick: (event) => savePicture(title, pictureOf ? pictureOf() : event.target.closest("figure").querySelector("svg[viewBox][role=img]"), kind),
}, kind)));

const STACK_LINE = 34, STACK_WIDE = 480;

/** Return many small pictures as one, each below its words. */
export function stackedPicture(title, items) {
  const svg = svgElement("svg", { viewBox: `0 0 ${STACK_WIDE} ${items.length * STACK_LINE * 2 + 8}`, role: "img", "aria-label": `${title}. ${items.map((item) => item.words).join(". ")}` });
  items.forEach(({ words, picture }, k) => {
    const copy = picture.cloneNode(true), [, , width, height] = picture.getAttribute("viewBox").split(/[ ,]+/).map(Number);
    for (const [key, value] of Object.entries({ x: 8, y: k * STACK_LINE * 2 + STACK_LINE - 8, width: STACK_WIDE / 2, height: ((STACK_WIDE / 2) * height) / width })) copy.setAttribute(key, value);
    svg.append(svgElement("text", { x: 8, y: k * STACK_LINE * 2 + 18 }, words.length > 76 ? `${words.slice(0, 75)}…` : words), copy);
  });
  // What the style of the page says is known only of what is in it.
  const room = element("div", { class: "aside", "aria-hidden": "true" }, svg);
  document.body.append(room);
  setTimeout(() => room.remove(), 0);
  return svg;
}

/**
 * Fill the room of a view's exports.
 *
 * @param room     element
 * @param view     its name
 * @param csv      returns rows of cells
 * @param commands text, or "" where no command gives the same
 * @param python   text
 * @param more     further elements
 */
export function drawExports(room, view, { csv, commands, python, more = [] }) {
  const opened = new Set([...room.querySelectorAll("details[open]")].map((one) => one.dataset.kind)), focused = document.activeElement?.id;
  const told = (kind, title, text) => (text ? element("details", { "data-kind": kind, open: opened.has(kind) }, element("summary", {}, title), element("pre", { id: `${view}-${kind}`, tabindex: 0 }, text)) : null);
  const copied = async (event) => {
    const button = event.target;
    await navigator.clipboard?.writeText(location.href);
    button.textContent = "Link copied";
  };
  room.replaceChildren(...[
    element("p", { class: "row actions" },
      element("button", { type: "button", id: `${view}-copy`, onclick: copied }, "Copy link"),
      element("button", { type: "button", id: `${view}-csv`, onclick: () => save(`betapod-${view}.csv`, csvOf(csv()), "text/csv") }, "Save as CSV"), ...more),
    told("commands", "The same on the command line", commands), told("python", "The same in Python", python),
  ].filter(Boolean));
  if (focused?.startsWith(`${view}-`)) room.querySelector(`#${CSS.escape(focused)}`)?.focus();
}

/** Return a text as Python and as shells write it. */
export const inPython = (text) => JSON.stringify(text);
export const inShell = (text) => (/^[\w.,:/%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
/** Return names and values as a dictionary of Python. */
export const asDictionary = (values) => `{${Object.entries(values).map(([key, value]) => `${inPython(key)}: ${typeof value === "number" ? value : inPython(value)}`).join(", ")}}`;

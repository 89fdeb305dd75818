/** Line charts as SVG without a library: axes with few round numbers, lines told apart by dashes too, a cursor. */

const NS = "http://www.w3.org/2000/svg";
const BOX = { width: 480, height: 250, left: 58, right: 12, top: 12, bottom: 34 };

export function svgElement(tag, attributes = {}, ...children) {
  const element = document.createElementNS(NS, tag);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** Return about `count` round numbers that cover a range. */
export function ticks(low, high, count = 5) {
  const raw = (high - low) / count || Math.abs(high) || 1, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw * 0.999);
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k += 1) found.push(k * step);
  return found;
}

/** Return a number for reading, with so many digits. */
export function shown(value, digits = 3) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(digits - 1) : String(Number(value.toPrecision(digits)));
  return text.replace("-", "\u2212");
}

/** Return a change of a logarithm as percent. */
export const changeInPercent = (value) => `${shown(100 * Math.expm1(value), 3)} %`;

/** Return a piece of the line of a plan or a group, for a legend. */
export function lineSwatch(k) {
  return svgElement("svg", { viewBox: "0 0 42 14", "aria-hidden": "true" }, svgElement("path", { class: `line p${k}`, d: "M1 7L41 7" }));
}

/**
 * Return a chart.
 *
 * @param chart {title, unit, years: [..], lines: [{label, values, kind, low, high}] (a band from low to high where they are; thin lines along `edges`, {low, high}), zero: whether 0 is drawn, cursor: index into years, along: unit of time}
 */
export function lineChart({ title, unit, years, lines, zero, cursor, along = "years" }) {
  const seen = lines.flatMap((line) => [line.values, line.low ?? [], line.high ?? [], line.edges?.low ?? [], line.edges?.high ?? []].flatMap((values) => Array.from(values).filter(Number.isFinite)));
  let low = Math.min(...seen, zero ? 0 : Infinity), high = Math.max(...seen, zero ? 0 : -Infinity);
  if (!seen.length) [low, high] = [0, 1];
  const least = Math.max(Math.abs(high), Math.abs(low)) * 0.02 || 1e-6;
  if (high - low < least) [low, high] = [(low + high - least) / 2, (low + high + least) / 2];
  const pad = 0.06 * (high - low);
  [low, high] = [low >= 0 && low - pad < 0 ? 0 : low - pad, high + pad];
  const last = years[years.length - 1];
  const x = (year) => BOX.left + (year / last) * (BOX.width - BOX.left - BOX.right);
  const y = (value) => BOX.height - BOX.bottom - ((value - low) / (high - low)) * (BOX.height - BOX.top - BOX.bottom);
  const text = (words, at) => svgElement("text", at, words);
  const svg = svgElement("svg", { viewBox: `0 0 ${BOX.width} ${BOX.height}`, role: "img", "aria-label": spoken(title, unit, years, lines, along) });
  for (const value of ticks(low, high)) {
    svg.append(svgElement("line", { class: value === 0 && zero ? "axis" : "grid", x1: BOX.left, x2: BOX.width - BOX.right, y1: y(value), y2: y(value) }));
    svg.append(text(shown(value, 4), { x: BOX.left - 6, y: y(value) + 4, "text-anchor": "end" }));
  }
  for (const year of ticks(0, last, 6)) {
    svg.append(svgElement("line", { class: "axis", x1: x(year), x2: x(year), y1: BOX.height - BOX.bottom, y2: BOX.height - BOX.bottom + 4 }));
    svg.append(text(shown(year), { x: x(year), y: BOX.height - BOX.bottom + 18, "text-anchor": "middle" }));
  }
  svg.append(svgElement("line", { class: "axis", x1: BOX.left, x2: BOX.width - BOX.right, y1: BOX.height - BOX.bottom, y2: BOX.height - BOX.bottom }));
  svg.append(text(along, { x: BOX.width - BOX.right, y: BOX.height - 3, "text-anchor": "end" }));
  if (cursor !== null) svg.append(svgElement("line", { class: "cursor", x1: x(years[cursor]), x2: x(years[cursor]), y1: BOX.top, y2: BOX.height - BOX.bottom }));
  for (const { kind, low: bottom, high: up } of lines.filter((line) => line.low)) {
    const known = years.map((year, k) => [year, bottom[k], up[k]]).filter((ends) => ends.every(Number.isFinite));
    const corners = [...known.map(([year, , value]) => [year, value]), ...known.map(([year, value]) => [year, value]).reverse()];
    svg.append(svgElement("polygon", { class: `band of-${kind}`, points: corners.map(([year, value]) => `${x(year).toFixed(1)},${y(value).toFixed(1)}`).join(" ") }));
  }
  const pathOf = (values) => Array.from(values).reduce((path, value, k) => (Number.isFinite(value) ? `${path}${path && Number.isFinite(values[k - 1]) ? "L" : "M"}${x(years[k]).toFixed(1)} ${y(value).toFixed(1)}` : path), "");
  for (const line of lines) {
    for (const end of line.edges ? [line.edges.low, line.edges.high] : []) svg.append(svgElement("path", { class: `edge ${line.kind}`, d: pathOf(end) }));
    svg.append(svgElement("path", { class: `line ${line.kind}`, d: pathOf(line.values) }));
  }
  return svg;
}

function spoken(title, unit, years, lines, along) {
  const each = lines.map((line) => {
    const finite = Array.from(line.values).filter(Number.isFinite);
    return `${line.label}: from ${shown(finite[0])} to ${shown(finite[finite.length - 1])}`;
  });
  return `${title}, ${unit}, over ${shown(years[years.length - 1])} ${along}. ${each.join(". ")}.`;
}

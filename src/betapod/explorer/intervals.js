/** Small pictures of one number and its interval, each on an axis of its own. */

import { svgElement } from "./chart.js";

const WIDE = 240, HIGH = 26, EDGE = 8;

/**
 * Return a picture; the words beside it have the numbers.
 *
 * @param picture {low, high, point, hollow, marks: [{value, kind}], log, words}: ends that are not known are left out
 */
export function intervalPicture({ low, high, point, hollow, marks = [], log, words }) {
  const scale = log ? Math.log : (value) => value;
  const values = [low, high, point, ...marks.map((mark) => mark.value)].filter((value) => typeof value === "number").map(scale).filter(Number.isFinite);
  let least = Math.min(...values), most = Math.max(...values);
  if (most - least < 1e-12) [least, most] = [least - 1, most + 1];
  const x = (value) => EDGE + ((scale(value) - least) / (most - least)) * (WIDE - 2 * EDGE);
  const svg = svgElement("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, class: "interval", role: "img", "aria-label": words });
  const middle = HIGH / 2, drawable = (value) => typeof value === "number" && Number.isFinite(scale(value));
  svg.append(svgElement("line", { class: "grid", x1: 0, x2: WIDE, y1: middle, y2: middle }));
  if (drawable(low) && drawable(high)) svg.append(svgElement("rect", { class: "band", x: x(low), y: middle - 5, width: Math.max(1.5, x(high) - x(low)), height: 10 }));
  for (const mark of marks) {
    if (drawable(mark.value)) svg.append(svgElement("line", { class: `mark ${mark.kind}`, x1: x(mark.value), x2: x(mark.value), y1: 2, y2: HIGH - 2 }));
  }
  if (drawable(point)) svg.append(svgElement("circle", { class: hollow ? "dot hollow" : "dot", cx: x(point), cy: middle, r: 5 }));
  return svg;
}

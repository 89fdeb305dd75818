/** Points of groups with the straight line of least squares through each: whether a change goes by where people began. */

import { shown, svgElement, ticks } from "./chart.js";

const SCATTER = { width: 480, height: 300, left: 58, right: 12, top: 12, bottom: 48 };

/** Return slope and height at 0 of the straight line of least squares, and the correlation, of points [x, y]. */
export function straightLine(points) {
  const mean = (k) => points.reduce((sum, point) => sum + point[k], 0) / points.length, [mx, my] = [mean(0), mean(1)];
  const products = (j, k) => points.reduce((sum, point) => sum + (point[j] - [mx, my][j]) * (point[k] - [mx, my][k]), 0);
  const slope = products(0, 1) / products(0, 0);
  return { slope, start: my - slope * mx, correlation: products(0, 1) / Math.sqrt(products(0, 0) * products(1, 1)) };
}

/** Return a scale onto pixels that holds values and a little more. */
function scaleOf(values, from, to) {
  const low = Math.min(...values), high = Math.max(...values), pad = 0.05 * (high - low || Math.abs(high) || 1);
  return { low: low - pad, high: high + pad, at: (value) => from + ((value - low + pad) / (high - low + 2 * pad)) * (to - from) };
}

/**
 * Return a picture of points, with a line for each group.
 *
 * @param title  words
 * @param across, up what the axes are
 * @param groups [{label, kind, points: [[x, y]]}]
 */
export function scatterPicture({ title, across, up, groups }) {
  const { width, height, left, right, top, bottom } = SCATTER, all = groups.flatMap((group) => group.points);
  const x = scaleOf(all.map((point) => point[0]), left, width - right), y = scaleOf(all.map((point) => point[1]), height - bottom, top);
  const lines = groups.map((group) => straightLine(group.points)), told = groups.map((group, k) => `${group.label}: ${group.points.length} people, slope ${shown(lines[k].slope, 2)}, correlation ${shown(lines[k].correlation, 2)}`);
  const svg = svgElement("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${title}. ${told.join(". ")}.` });
  for (const value of ticks(y.low, y.high)) svg.append(svgElement("line", { class: "grid", x1: left, x2: width - right, y1: y.at(value), y2: y.at(value) }), svgElement("text", { x: left - 6, y: y.at(value) + 4, "text-anchor": "end" }, shown(value, 4)));
  for (const value of ticks(x.low, x.high, 6)) svg.append(svgElement("text", { x: x.at(value), y: height - bottom + 16, "text-anchor": "middle" }, shown(value, 4)));
  svg.append(svgElement("line", { class: "axis", x1: left, x2: width - right, y1: height - bottom, y2: height - bottom }));
  groups.forEach(({ points, kind }, k) => {
    for (const point of points) svg.append(svgElement("circle", { class: `point of-${kind}`, cx: x.at(point[0]).toFixed(1), cy: y.at(point[1]).toFixed(1), r: 3 }));
    const ends = [Math.min(...points.map((point) => point[0])), Math.max(...points.map((point) => point[0]))], of = (value) => lines[k].start + lines[k].slope * value;
    svg.append(svgElement("path", { class: `line ${kind}`, d: `M${x.at(ends[0]).toFixed(1)} ${y.at(of(ends[0])).toFixed(1)}L${x.at(ends[1]).toFixed(1)} ${y.at(of(ends[1])).toFixed(1)}` }));
  });
  svg.append(svgElement("text", { x: (left + width - right) / 2, y: height - bottom + 32, "text-anchor": "middle" }, across), svgElement("text", { x: (left + width - right) / 2, y: height - 2, "text-anchor": "middle" }, `up: ${up}`));
  return svg;
}

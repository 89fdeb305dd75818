/** Pictures of a run of trials: what groups differ by, what changes are made of, and who is free of events. */

import { lineChart, svgElement, ticks } from "./chart.js";

const RUN_WIDE = 480, RUN_LANE = 40, RUN_EDGE = 12, RUN_FOOT = 34;
/** Letters of a line of text of the picture. */
const LETTERS_WIDE = 74;
const cut = (text) => (text.length > LETTERS_WIDE ? `${text.slice(0, LETTERS_WIDE - 1)}…` : text);

/** Return x of a value, and a picture with an axis of few numbers; the value 0 is marked. */
function axisPicture(values, high, words, textOf) {
  let low = Math.min(0, ...values), top = Math.max(0, ...values);
  if (top - low < 1e-12) [low, top] = [-1, 1];
  const x = (value) => RUN_EDGE + ((value - low) / (top - low)) * (RUN_WIDE - 2 * RUN_EDGE);
  const svg = svgElement("svg", { viewBox: `0 0 ${RUN_WIDE} ${high}`, role: "img", "aria-label": words });
  let end = -Infinity;
  for (const value of ticks(low, top, 4)) {
    const text = textOf(value), half = 3.5 * text.length, at = Math.min(RUN_WIDE - half, Math.max(half, x(value)));
    svg.append(svgElement("line", { class: "grid", x1: x(value), x2: x(value), y1: 2, y2: high - RUN_FOOT }));
    // Words that would lie on those before are left out.
    if (at - half > end + 6) {
      svg.append(svgElement("text", { x: at, y: high - RUN_FOOT + 16, "text-anchor": "middle" }, text));
      end = at + half;
    }
  }
  svg.append(svgElement("line", { class: "axis", x1: x(0), x2: x(0), y1: 2, y2: high - RUN_FOOT }));
  return { svg, x };
}

/**
 * Return what groups differ by: for each comparison the interval of the trials, what they find at the middle, and the true effect.
 *
 * @param rows   [{label, estimate, low, high, truth}] on the scale of the analysis
 * @param textOf says a value
 * @param unit   words below the axis
 */
export function forestPicture(rows, textOf, unit) {
  const known = (value) => typeof value === "number" && Number.isFinite(value), high = rows.length * RUN_LANE + RUN_FOOT + 6;
  const values = rows.flatMap((row) => [row.estimate, row.low, row.high, row.truth].filter(known));
  const words = rows.map((row) => `${row.label}: ${textOf(row.estimate)}, 95 % of trials ${textOf(row.low)} to ${textOf(row.high)}${known(row.truth) ? `, true effect ${textOf(row.truth)}` : ""}`);
  const { svg, x } = axisPicture(values, high, `What groups differ by. ${words.join(". ")}.`, textOf);
  rows.forEach((row, k) => {
    const y = k * RUN_LANE + 28;
    svg.append(svgElement("text", { x: RUN_EDGE, y: y - 12 }, cut(row.label)));
    if (known(row.low) && known(row.high)) svg.append(svgElement("rect", { class: "band", x: x(row.low), y: y - 5, width: Math.max(1.5, x(row.high) - x(row.low)), height: 10 }));
    if (known(row.truth)) svg.append(svgElement("line", { class: "mark needed", x1: x(row.truth), x2: x(row.truth), y1: y - 9, y2: y + 9 }));
    if (known(row.estimate)) svg.append(svgElement("circle", { class: "dot", cx: x(row.estimate), cy: y, r: 5 }));
  });
  svg.append(svgElement("text", { x: RUN_WIDE / 2, y: high - 4, "text-anchor": "middle" }, cut(unit)));
  return svg;
}

/** Return what the change of a group is made of: one bar for each part, the largest first, and their sum. */
export function partsPicture(title, parts, textOf, unit) {
  const sorted = Object.entries(parts).filter(([, value]) => Number.isFinite(value) && value).sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
  const rows = [...sorted, ["all of it", sorted.reduce((sum, [, value]) => sum + value, 0)]], high = rows.length * RUN_LANE + RUN_FOOT + 6;
  const { svg, x } = axisPicture(rows.map(([, value]) => value), high, `${title}. ${rows.map(([name, value]) => `${name} ${textOf(value)}`).join(", ")}.`, textOf);
  rows.forEach(([name, value], k) => {
    const y = k * RUN_LANE + 28;
    svg.append(svgElement("text", { x: RUN_EDGE, y: y - 11 }, `${name}: ${textOf(value)}`),
      svgElement("rect", { class: k === rows.length - 1 ? "whole" : "bar", x: Math.min(x(0), x(value)), y: y - 6, width: Math.max(1, Math.abs(x(value) - x(0))), height: 12 }));
  });
  svg.append(svgElement("text", { x: RUN_WIDE / 2, y: high - 4, "text-anchor": "middle" }, cut(unit)));
  return svg;
}

/** Return the value of a step function at each of some days. */
const stepsAt = (days, own, values) => days.map((day) => values[Math.max(0, own.findLastIndex((one) => one <= day))]);

/**
 * Return Kaplan-Meier curves, and how many are at risk at the times of the axis.
 *
 * @param groups [{label, days, free, low, high, atRisk}]
 * @returns {{svg, years, atRisk: [[number]]}} years of the columns, and for each group who is at risk then
 */
export function survivalPicture(title, groups) {
  const last = Math.max(...groups.flatMap((group) => group.days)) / 365.25, every = [...new Set(groups.flatMap((group) => group.days))].sort((a, b) => a - b);
  // A step is two points on one day.
  const days = every.flatMap((day, k) => (k ? [day - 1e-6, day] : [day])), years = days.map((day) => Math.max(0, day) / 365.25);
  const lines = groups.map((group, k) => ({
    label: group.label, kind: `p${k}`, values: stepsAt(days, group.days, group.free),
    low: group.low && stepsAt(days, group.days, group.low), high: group.high && stepsAt(days, group.days, group.high),
  }));
  const columns = ticks(0, last, 5).filter((year) => year <= last);
  return { svg: lineChart({ title, unit: "share", years, lines, zero: false, cursor: null }), years: columns, atRisk: groups.map((group) => stepsAt(columns.map((year) => year * 365.25), group.days, group.atRisk)) };
}

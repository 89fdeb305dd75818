/** The hierarchy of outcomes of one trial: each patient once, by the worst that happened and when, and the slopes of the others. */

import { shown, svgElement } from "./chart.js";
import { quantilesOf } from "./people.js";

const MARACA = { width: 480, height: 300, left: 40, right: 8, top: 12, bottom: 92 };
/** Share of the width that an outcome has at least, so that its name can be read. */
const LEAST_WIDE = 0.1;

/**
 * Return what is drawn: outcomes from left to right, how wide each is, and who has had it, or a worse one, by when.
 *
 * @param rows [{arm, component, reached}] of patients, `reached` the day or, of the last component, the slope
 * @param order names of components, the worst first
 */
export function maracaParts(rows, order) {
  const last = order[order.length - 1], arms = [...new Set(rows.map((row) => row.arm))], named = [...order.slice(0, -1).filter((name) => rows.some((row) => row.component === name)), last];
  const wide = named.map((name) => Math.max(LEAST_WIDE, rows.filter((row) => row.component === name).length / rows.length)), whole = wide.reduce((a, b) => a + b, 0);
  let begin = 0;
  const parts = named.map((name, k) => ({ name, from: begin, to: (begin += wide[k] / whole) }));
  const final = Math.max(1, ...rows.filter((row) => row.component !== last).map((row) => row.reached));
  const groups = arms.map((arm) => {
    const own = rows.filter((row) => row.arm === arm), steps = [[0, 0]];
    let reached = 0;
    for (const { name, from, to } of parts.slice(0, -1)) {
      const days = own.filter((row) => row.component === name).map((row) => row.reached).sort((a, b) => a - b);
      for (const day of days) steps.push([from + (to - from) * (day / final), (reached += 1 / own.length)]);
      steps.push([to, reached]);
    }
    const slopes = own.filter((row) => row.component === last && Number.isFinite(row.reached)).map((row) => row.reached);
    return { arm, patients: own.length, steps, slopes: slopes.length > 1 ? quantilesOf(slopes, [0.05, 0.25, 0.5, 0.75, 0.95]) : null };
  });
  return { parts, groups };
}

/** Return the picture (a maraca plot); boxes at the right hold the middle half of slopes, lines 9 of 10. */
export function maracaPicture(title, rows, order) {
  const { parts, groups } = maracaParts(rows, order), { width, height, left, right, top, bottom } = MARACA, base = height - bottom;
  const most = 1.15 * Math.max(0.01, ...groups.map((group) => group.steps[group.steps.length - 1][1])), x = (share) => left + share * (width - left - right), y = (share) => base - (share / most) * (base - top);
  const boxes = groups.flatMap((group) => group.slopes ?? []), low = Math.min(...boxes), high = Math.max(...boxes), last = parts[parts.length - 1];
  const along = (slope) => x(last.from + (last.to - last.from) * (0.04 + 0.92 * ((slope - low) / (high - low || 1))));
  const told = groups.map((group) => `${group.arm}: ${Math.round(100 * group.steps[group.steps.length - 1][1])} of 100 with an event${group.slopes ? `, slope of the others ${shown(group.slopes[2], 2)}` : ""}`);
  const svg = svgElement("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${title}. ${told.join(". ")}.` });
  for (const share of [0, most / 2.3, most / 1.15]) svg.append(svgElement("line", { class: "grid", x1: left, x2: width - right, y1: y(share), y2: y(share) }), svgElement("text", { x: left - 5, y: y(share) + 4, "text-anchor": "end" }, `${shown(100 * share, 2)} %`));
  for (const { name, from, to } of parts) {
    svg.append(svgElement("line", { class: "mark needed", x1: x(to), x2: x(to), y1: top, y2: base }));
    const at = [x((from + to) / 2), base + 12];
    svg.append(name === last.name ? svgElement("text", { x: at[0], y: at[1] + 4, "text-anchor": "middle" }, name) : svgElement("text", { x: at[0], y: at[1], "text-anchor": "end", transform: `rotate(-40 ${at.join(" ")})` }, name));
  }
  groups.forEach(({ steps, slopes }, k) => {
    svg.append(svgElement("path", { class: `line p${k}`, d: steps.map(([share, reached], i) => (i ? `H${x(share).toFixed(1)}V${y(reached).toFixed(1)}` : `M${x(share).toFixed(1)} ${y(reached).toFixed(1)}`)).join("") }));
    if (!slopes) return;
    const middle = top + ((k + 1) / (groups.length + 1)) * (base - top);
    svg.append(svgElement("path", { class: `line p${k}`, d: `M${along(slopes[0]).toFixed(1)} ${middle}H${along(slopes[4]).toFixed(1)}` }),
      svgElement("rect", { class: `box of-p${k}`, x: along(slopes[1]), y: middle - 8, width: Math.max(2, along(slopes[3]) - along(slopes[1])), height: 16 }),
      svgElement("line", { class: "mark", x1: along(slopes[2]), x2: along(slopes[2]), y1: middle - 8, y2: middle + 8 }));
  });
  if (boxes.length) svg.append(svgElement("text", { x: x(last.from) + 4, y: base + 34 }, shown(low, 2)), svgElement("text", { x: x(1) - 2, y: base + 34, "text-anchor": "end" }, shown(high, 2)));
  return svg;
}

/** The view of the claims: what is claimed, the verdict, on what it rests, what would follow, and what would change it. */

import { addressIn, capital, counted, $, dataOf, element, option, paragraph, setAddress } from "./parts.js";
import { drawExports, inPython, inShell, pictureButtons, stackedPicture } from "./exports.js";
import { intervalPicture } from "./intervals.js";
import { shown } from "./chart.js";
import { addressOfPlans } from "./person.js";

const CLAIM_FILTERS = ["verdict", "about", "group"];
let claimChosen = { c: "", verdict: "", about: "", group: "", words: "" };

const verdictClass = (verdict) => `verdict ${verdict.split(" ")[0]}`;
const claimText = (claim) => `${claim.id} ${claim.claim} ${claim.group} ${claim.mechanism} ${claim.plain}`.toLowerCase();

function fittingClaims(claims) {
  const words = claimChosen.words.toLowerCase().split(/\s+/).filter(Boolean);
  return claims.filter((claim) => CLAIM_FILTERS.every((key) => !claimChosen[key] || claim[key] === claimChosen[key])
    && words.every((word) => claimText(claim).includes(word)));
}

function drawClaims(data) {
  const fits = fittingClaims(data.claims), claim = data.claims.find((one) => one.id === claimChosen.c);
  setAddress("claims", addressIn("claims", claimChosen));
  for (const key of CLAIM_FILTERS) $(`claim-${key}`).value = claimChosen[key];
  if ($("claim-words").value !== claimChosen.words) $("claim-words").value = claimChosen.words;
  $("claims-count").textContent = `${counted(fits.length, "claim")} of ${data.claims.length}`;
  $("claims-list").replaceChildren(...fits.map((one) => element("li", {},
    element("a", { href: addressIn("claims", { ...claimChosen, c: one.id }), "aria-current": one === claim ? "true" : undefined },
      element("span", { class: "top" }, element("span", {}, `${one.id} · ${one.group}`), element("span", { class: verdictClass(one.verdict) }, one.verdict)),
      one.claim))));
  $("view-claims").classList.toggle("picked", Boolean(claim));
  $("claim").replaceChildren(...(claim ? claimParts(claim, data) : claimsFront(data)));
  drawClaimExports(claim, fits, data);
}

/** Fill the exports: of the claim that is chosen, or of those in the list. */
function drawClaimExports(claim, fits, data) {
  const asked = [["--status", claimChosen.verdict], ["--search", claimChosen.words]].filter(([, value]) => value).map(([flag, value]) => `${flag} ${inShell(value)}`);
  const alone = ["about", "group"].filter((key) => claimChosen[key]).map((key) => `${key} ${claimChosen[key]}`);
  const replies = [...$("claim").querySelectorAll(".replies li")].filter((one) => one.querySelector("svg"));
  const pictures = () => stackedPicture(claim.claim, replies.map((one) => ({ words: one.querySelector("svg").getAttribute("aria-label").split(";")[0], picture: one.querySelector("svg") })));
  const ids = claim ? [claim.id] : fits.length < data.claims.length ? fits.map((one) => one.id) : [];
  drawExports($("claims-exports"), "claims", {
    csv: () => (claim
      ? [["claim", "answer", "direct", "text", "value", "low", "high", "needs", "how", "certainty", "studies"], ...claim.replies.map((reply) => [claim.id, reply.answer, reply.direct, reply.text, reply.value, reply.low, reply.high, reply.needs, reply.how, reply.certainty, reply.studies.join(" ")])]
      : [["id", "group", "about", "verdict", "certainty", "claim", "because"], ...fits.map((one) => [one.id, one.group, one.about, one.verdict, one.certainty, one.claim, one.because])]),
    commands: claim ? `betapod claims show ${claim.id}` : `betapod claims${asked.map((words) => ` ${words}`).join("")}${alone.length ? `\n# and of these the claims with ${alone.join(", ")}` : ""}`,
    python: `import betapod\nledger = betapod.judge_claims(${ids.length ? `[${ids.map(inPython).join(", ")}]` : ""})\nprint([(entry.claim.id, entry.verdict.verdict) for entry in ledger])`,
    more: claim && replies.length ? [element("span", {}, "Small pictures"), pictureButtons(`of claim ${claim.id}`, pictures)] : [],
  });
}

/** Return what stands where no claim is chosen: verdicts by topic, and the rule. */
function claimsFront(data) {
  const groups = [...new Set(data.claims.map((claim) => claim.group))];
  const number = (group, verdict) => data.claims.filter((claim) => (!group || claim.group === group) && claim.verdict === verdict).length;
  const cell = (group, verdict) => {
    const count = number(group, verdict), label = `${counted(count, "claim")}: ${verdict}${group ? `, ${group}` : ""}`;
    return element("td", {}, count ? element("a", { href: addressIn("claims", { verdict, group }), "aria-label": label }, String(count)) : "–");
  };
  const line = (group) => element("tr", {}, element("th", { scope: "row" }, group || "all"), ...data.verdicts.map((verdict) => cell(group, verdict)));
  return [
    element("h3", {}, "Verdicts by topic"),
    element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Verdicts by topic" }, element("table", {},
      element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "topic"), ...data.verdicts.map((verdict) => element("th", { scope: "col" }, verdict)))),
      element("tbody", {}, line(""), ...groups.map(line)))),
    element("h3", {}, "How a verdict comes about"),
    element("p", {}, "No verdict is written by hand. The first line that fits decides:"),
    element("ol", {}, ...Object.entries(data.rule).map(([name, words]) => element("li", {}, element("strong", {}, name === "unreached" ? "not supported" : name), `: ${words}.`))),
  ];
}

function claimParts(claim, data) {
  return [
    element("p", { class: "back" }, element("a", { href: addressIn("claims", { ...claimChosen, c: "" }) }, "All claims")),
    element("p", { class: "top" }, element("span", {}, `${claim.id} · ${claim.group}`), element("span", { class: verdictClass(claim.verdict) }, claim.verdict)),
    element("h3", { id: "claim-title", tabindex: -1 }, claim.claim),
    element("p", {}, claim.plain),
    paragraph(claim.note),
    element("h4", {}, "Why this verdict"),
    element("p", {}, `${capital(claim.verdict)}, because ${claim.rule}.`),
    element("p", { class: "small" }, `${capital(claim.because)}. Certainty of the evidence that decided: ${claim.certainty}. Certainty by reading alone: ${claim.specified || "not given"}${claim.agrees ? "" : " (differs)"}.`),
    paragraph(claim.differs && `The rule stands because: ${claim.differs}.`, "small"),
    element("h4", {}, "Published numbers"),
    ...(claim.replies.length ? [element("ul", { class: "replies" }, ...claim.replies.map((reply) => replyItem(reply, data)))] : [element("p", {}, "No record of the registry answers this.")]),
    paragraph(claim.missing && `No direct record: ${claim.missing}`),
    element("h4", {}, "What the model says follows"),
    element("p", {}, `${claim.mechanism} `, element("span", { class: "small" }, `(${claim.parameters})`)),
    ...claimConsequences(claim),
    element("h4", {}, "What would change the verdict"),
    element("p", {}, claim.change),
    paragraph(claim.legal?.length && `The law, which is no evidence: ${claim.legal.join(" ")}`, "small"),
  ].filter(Boolean);
}

/** Return one answer of the published numbers: in words, and as an interval beside no effect and what the claim needs. */
function replyItem(reply, data) {
  const marks = [{ value: reply.null, kind: "none" }, { value: reply.needs, kind: "needed" }].filter((mark) => typeof mark.value === "number");
  const between = typeof reply.low === "number" ? `, 95 % ${shown(reply.low)} to ${shown(reply.high)}` : "";
  const words = `${reply.text}: ${shown(reply.value ?? NaN)}${between}; dashed: no effect; dotted: what the claim needs`;
  const links = reply.studies.map((study) => (data.compared.includes(study) ? element("a", { href: addressIn("evidence", { study }) }, study) : study));
  return element("li", {},
    element("strong", { title: data.answers[reply.answer] }, reply.answer), `${reply.direct ? "" : " (indirect)"}: ${reply.text}${reply.estimate ? `: ${reply.estimate}` : ""}${reply.requires ? `; the claim needs ${reply.requires}` : ""}. `,
    typeof reply.value === "number" && (marks.length || typeof reply.low === "number")
      ? intervalPicture({ low: reply.low, high: reply.high, point: reply.value, hollow: !reply.direct, marks, words }) : null,
    element("span", { class: "small" }, `${capital(reply.how)}${reply.certainty ? `; certainty ${reply.certainty}` : ""}. `),
    links.length ? element("span", { class: "small" }, "Studies: ", ...links.flatMap((link, k) => (k ? [", ", link] : [link]))) : null);
}

function claimConsequences(claim) {
  const picture = element("div", { class: "picture" });
  picture.innerHTML = claim.outcomes.length ? claim.picture : "";
  const outcomes = claim.outcomes.flatMap((outcome) => [
    element("p", {}, `${outcome.caption}.`),
    element("dl", {}, ...outcome.scenarios.flatMap(([name, value, interval]) => [element("dt", {}, name), element("dd", {}, value, interval ? element("span", { class: "small" }, ` ${interval}`) : null)]),
      element("dt", {}, "Effect needed"), element("dd", {}, outcome.leverage),
      ...(outcome.not_known ? [element("dt", {}, "What is not known"), element("dd", {}, `${capital(outcome.not_known)}.`)] : [])),
    paragraph(outcome.shortfall, "small"),
  ]);
  const trying = claim.plans ? element("p", {}, element("a", { class: "button", href: addressOfPlans(claim.plans) }, "Try it in one person")) : null;
  return [claim.outcomes.length ? picture : null, ...outcomes, paragraph(claim.not_simulated && `Not simulated: ${claim.not_simulated}.`, "small"), trying];
}

function beginClaims() {
  const changed = () => dataOf("data-claims").then(drawClaims);
  for (const key of [...CLAIM_FILTERS, "words"]) {
    $(`claim-${key}`).addEventListener("input", (event) => {
      claimChosen = { ...claimChosen, [key]: event.target.value, c: "" };
      changed();
    });
  }
  $("claims-all").addEventListener("click", () => {
    claimChosen = { c: "", verdict: "", about: "", group: "", words: "" };
    changed();
  });
}

async function openClaims(parts) {
  const data = await dataOf("data-claims"), before = claimChosen.c;
  const known = { c: (value) => data.claims.some((claim) => claim.id === value), words: () => true };
  for (const key of CLAIM_FILTERS) known[key] = (value) => data.claims.some((claim) => claim[key] === value);
  claimChosen = Object.fromEntries(Object.keys(claimChosen).map((key) => [key, known[key](parts.get(key) ?? "") ? (parts.get(key) ?? "") : ""]));
  if ($("claim-group").options.length < 2) {
    $("claims-message").replaceChildren(...data.message.map((words) => element("p", {}, words)));
    $("claim-verdict").append(...data.verdicts.map((verdict) => option(verdict, verdict)));
    $("claim-group").append(...[...new Set(data.claims.map((claim) => claim.group))].map((group) => option(group, group)));
  }
  drawClaims(data);
  if (claimChosen.c && claimChosen.c !== before) $("claim-title").focus();
}

export const claimsView = { name: "claims", title: "Claims", begin: beginClaims, open: openClaims };

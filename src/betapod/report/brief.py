"""The short answers of a trial report: questions that a reader has, answered with the numbers of the run."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..trials.sizing import AS_WRITTEN, BETTER_MEASURED, NULL
from . import words

if TYPE_CHECKING:
    from ..trials.assessment import Assessment
    from ..trials.attribution import Attribution


def answers(a: Assessment, shares: list[Attribution]) -> list[tuple[str, str]]:
    """Return questions and answers, as far as the run has them."""
    found = [*_uncontrolled(a), *_evidence(a), *_controlled(a), *_able(a), *_early(a, shares)]
    return found or [("What came out?", _plain(a))]


def _plain(a: Assessment) -> str:
    row = a.results.iloc[0].to_dict()
    return (
        f"{row['endpoint']}: {words.estimated(a, row['mean'])} on average over {a.replicates} replicates, "
        f"95 % of them {words.estimated_range(a, row['low'], row['high'])}."
    )


def measured(a: Assessment) -> str:
    """Return the primary quantity in words."""
    return words.named(a.code)


def _uncontrolled(a: Assessment) -> list[tuple[str, str]]:
    if not a.single:
        return []
    design = a.single[0]
    row = a.result(design, NULL)
    arms = a.protocol.designs[design].arms
    if not row or not math.isfinite(row["improved"]) or all(a.protocol.arms[arm].cells is None for arm in arms):
        return []
    n = a.protocol.size(design)
    better = math.copysign(1, row["mean"]) == a.better
    lead = "Yes, often." if row["improved"] >= 0.3 else "Sometimes." if row["improved"] >= 0.1 else "Rarely."
    chance = regression_share(a, design, NULL)
    text = (
        f"{lead} With cells that do nothing, {measured(a)} {'falls' if row['mean'] < 0 else 'rises'} by "
        f"{words.estimated(a, row['mean']).lstrip('+' + words.MINUS)} on average (95 % of studies: "
        f"{words.estimated_range(a, row['low'], row['high'])}), and {words.percent(row['improved'])} of such studies would report a "
        f"statistically significant improvement. "
    )
    if better and math.isfinite(chance):
        text += (
            f"Regression to the mean alone accounts for {words.percent(min(chance, 1.0)) if chance <= 1 else 'all'} of the apparent "
            "improvement: patients were enrolled when a variable laboratory value happened to be high."
        )
    return [(f"Would a study of {n} without a control group report improvement even if the cells did nothing?", text)]


def regression_share(a: Assessment, design: str, hypothesis: str) -> float:
    """Return the share of the mean observed change that is regression to the mean; NaN without parts."""
    table = a.parts
    if table.empty:
        return math.nan
    keep = (table["design"] == design) & (table["hypothesis"] == hypothesis) & (table["stratum"] == "all")
    rows = table[keep & (table["part"] == "regression to the mean")]
    return float(rows["share"].iloc[0]) if len(rows) else math.nan


def _evidence(a: Assessment) -> list[tuple[str, str]]:
    if a.evidence.empty:
        return []
    rows = a.evidence[~a.evidence["controlled"]].to_dict("records")
    if not rows:
        return []
    pieces = [
        f"a report of improvement is {words.ratio(r['ratio'])} times as probable if {words.hypothesis(r['hypothesis'])} as if they do nothing "
        f"(95 % interval {words.ratio(r['ratio_low'])} to {words.ratio(r['ratio_high'])}): {r['words']}"
        for r in rows
    ]
    text = f"{words.capital('; '.join(pieces))}. "
    strongest = max(rows, key=lambda r: r["ratio"])
    text += f"Who gave the claim one chance in ten before should give it {words.percent(strongest['belief_from_tenth'])} after reading it."
    exact = strongest
    text += (
        " A report that also gives the size of the change says more: the typical change under the claims "
        f"({words.estimated(a, exact['typical_result'])}) practically never happens if cells do nothing."
        if exact["ratio_of_typical"] > 30
        else ""
    )
    return [("How much evidence is such a report?", text)]


def _controlled(a: Assessment) -> list[tuple[str, str]]:
    if not a.controlled:
        return []
    design = a.controlled[0]
    null = a.result(design, NULL)
    if not null:
        return []
    pieces = [
        f"With cells that do nothing it shows a significant difference in {words.percent(null['significant'], 1)} of trials (5 % "
        "expected)"
    ]
    for hypothesis in dict.fromkeys(a.results["hypothesis"]):
        if hypothesis == NULL:
            continue
        row = a.result(design, hypothesis)
        truth = f" (true effect {words.estimated(a, row['truth'])})" if math.isfinite(row["truth"]) else ""
        pieces.append(
            f"if {words.hypothesis(hypothesis)}, it shows a benefit in {words.percent(row['improved'])}{truth}"
        )
    n = a.protocol.size(design)
    return [(f"Would a randomised trial of {n} do better?", f"{'; '.join(pieces)}.")]


def _able(a: Assessment) -> list[tuple[str, str]]:
    rows = sizes(a, "primary")
    if not rows:
        return []
    pieces = [f"{needed(r[AS_WRITTEN])} if {words.hypothesis(name)}" for name, r in rows.items() if AS_WRITTEN in r]
    text = (
        "Randomised against the same conventional therapy, with baseline measured again at enrolment. For 80 % power on "
        f"{measured(a)} it needs {' and '.join(pieces)}"
    )
    better = [f"{needed(r[BETTER_MEASURED])}" for r in rows.values() if BETTER_MEASURED in r]
    text += f"; with three samples per visit and an averaged baseline {' and '.join(better)}. " if better else ". "
    best = _best_endpoint(a)
    return [("What should a trial look like that could tell?", text + best)]


def _best_endpoint(a: Assessment) -> str:
    """Say which endpoint of the protocol needs fewest patients under the least optimistic hypothesis with an effect.

    One against which something speaks is not recommended, however few patients it needs, and the reason is given.
    """
    table = a.sizes
    hypotheses = [h for h in dict.fromkeys(table["hypothesis"]) if h != NULL]
    if not hypotheses:
        return ""
    part = table[(table["power"] == 0.8) & (table["hypothesis"] == hypotheses[0])].dropna(subset=["n"])
    sound, doubted = part[part["caution"] == ""], part[part["caution"] != ""]
    text = ""
    if not sound.empty:
        best = sound.loc[sound["n"].idxmin()]
        text = (
            f"Among the protocol's endpoints, {best['endpoint']} ({best['variant']}) needs fewest if {words.hypothesis(hypotheses[0])}: "
            f"{count(float(best['n']))} patients. "
        )
    if not doubted.empty and (sound.empty or doubted["n"].min() < sound["n"].min()):
        fewer = doubted.loc[doubted["n"].idxmin()]
        text += (
            f"{words.capital(str(fewer['endpoint']))} would need {count(float(fewer['n']))}, but it is not recommended: "
            f"{words.unit(str(fewer['caution']))}. The chronic slope, over two years or more, would be the endpoint."
        )
    return text.strip()


def sizes(a: Assessment, role: str) -> dict[str, dict[str, dict[str, Any]]]:
    """Return hypothesis -> variant -> row of the size for 80 % power; without the null hypothesis."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    if a.sizes.empty:
        return found
    keep = (a.sizes["power"] == 0.8) & (a.sizes["role"] == role) & (a.sizes["hypothesis"] != NULL)
    for row in a.sizes[keep].to_dict("records"):
        found.setdefault(str(row["hypothesis"]), {})[str(row["variant"])] = {str(k): v for k, v in row.items()}
    return found


def needed(row: dict[str, Any]) -> str:
    """Return how many patients a trial needs, in words."""
    n = float(row["n"])
    if not math.isfinite(n):
        return "more than any trial could enrol"
    return f"{count(n)} patients"


def count(n: float) -> str:
    """Return a number of patients: rounded where it is large, since it rests on simulation."""
    if n >= 100_000:
        return f"over 100{words.NARROW}000"
    rounded = round(n, -2) if n >= 1000 else n
    return f"{int(rounded):,}".replace(",", words.NARROW)


def _early(a: Assessment, shares: list[Attribution]) -> list[tuple[str, str]]:
    strata = list(a.protocol.strata)
    design = [*a.single, *a.controlled, ""][0]
    if len(strata) != 2 or not design:
        return []
    first, second = strata
    pieces = []
    for hypothesis in dict.fromkeys(a.results["hypothesis"]):
        if hypothesis == NULL:
            continue
        rows = [a.result(design, hypothesis, name) for name in strata]
        if not all(rows) or not all(math.isfinite(r["truth"]) for r in rows):
            continue
        pieces.append(
            f"if {words.hypothesis(hypothesis)}, the cells change {measured(a)} by {words.estimated(a, rows[0]['truth'])} in {first} and "
            f"{words.estimated(a, rows[1]['truth'])} in {second} disease"
        )
    if not pieces:
        return []
    text = f"{_verdict(a, design, first, second)}{words.capital('; '.join(pieces))}. "
    text += _remission(a, design, first, second)
    text += _why(shares, first, second)
    return [(f"Is {first} treatment better, and why?", text)]


def _verdict(a: Assessment, design: str, first: str, second: str) -> str:
    """Say in one sentence by which measures the first stratum gains more, under the last hypothesis."""
    name = list(dict.fromkeys(a.results["hypothesis"]))[-1]
    rows = [a.result(design, name, stratum) for stratum in (first, second)]
    if name == NULL or not all(rows):
        return ""
    gains = [a.better * row["truth"] for row in rows]
    table = a.remission
    normal = None
    if not table.empty:
        keep = table[table["design"] == design].groupby(["hypothesis", "stratum"])["true"].first()
        normal = [float(keep[name, s]) - float(keep[NULL, s]) for s in (first, second)]
    by_size = gains[0] > gains[1]
    if normal is None or not all(math.isfinite(x) for x in normal):
        return "Yes, by how much it changes. " if by_size else "Not by how much it changes. "
    by_normal = normal[0] > normal[1]
    if by_size == by_normal:
        return "Yes, by both measures. " if by_size else "No, by neither measure. "
    yes, no = ("how much albuminuria falls", "how many end normal because of the cells")[:: 1 if by_size else -1]
    return f"By {yes}, yes; by {no}, no. "


def _remission(a: Assessment, design: str, first: str, second: str) -> str:
    table = a.remission
    if table.empty:
        return ""
    rows = table[(table["design"] == design) & table["stratum"].isin([first, second])]
    value = {(r["hypothesis"], r["stratum"]): r for r in rows.to_dict("records")}
    if (NULL, first) not in value:
        return ""
    text = (
        f"Normal albuminuria at the end is measured in {words.percent(value[NULL, first]['measured'])} of {first} and "
        f"{words.percent(value[NULL, second]['measured'])} of {second} patients even with cells that do nothing, so a comparison of stages "
        "without a control group favours early treatment whatever the cells do. "
    )
    claims = [h for h in dict.fromkeys(table["hypothesis"]) if h != NULL]
    if claims:
        name = claims[-1]
        text += (
            f"If {words.hypothesis(name)}, it is {words.percent(value[name, first]['measured'])} and "
            f"{words.percent(value[name, second]['measured'])}: early patients start nearer to normal. "
        )
    return text


def _why(shares: list[Attribution], first: str, second: str) -> str:
    for each in reversed(shares):
        rows = {s: each.table[each.table["stratum"] == s].set_index("mechanism")["share"] for s in (first, second)}
        if any(len(r) == 0 for r in rows.values()):
            continue
        best = {s: str(r.abs().idxmax()) for s, r in rows.items()}
        labels = {s: words.MECHANISMS.get(name, name).partition(":")[0] for s, name in best.items()}
        same = best[first] == best[second]
        where = "at both stages" if same else f"in {first}, {labels[second]} in {second} disease"
        return f"In the model most of the effect comes from {labels[first]} {where}; lost nephrons do not return at any stage."
    return ""

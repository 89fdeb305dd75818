"""What a fit says, as tables and sentences: unknowns that the evidence speaks to, pairs, those that stayed, discrepancy in natural units."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...calibration.identifiability import ALIKE, STAYED
from ...physiology.installed_fits import rows_predicted
from ...physiology.study_differences import kind_of_numbers
from ..common.interval_section import kind_in_words, row_unit_text
from ..common.words import MINUS, counted, listed, percent_text, thousands
from .fit_contents import FitContents, on_natural_scale

if TYPE_CHECKING:
    import pandas as pd

    from ...calibration.design_bias import MeanMiss

#: How many unknowns the table of the best informed has.
BEST_INFORMED = 20
#: Sets of rows in the order of reading, in words.
SETS: Mapping[str, str] = {
    "fitted": "fitted",
    "set aside": "set aside",
    "left out": "left out, family by family",
}
#: A share at which the discrepancy of shares is shown in per cent.
_SHARE = 0.2


@dataclass(frozen=True)
class UnknownPair:
    """Two unknowns that the evidence does not tell apart, with the correlation of their posterior."""

    first: str
    second: str
    correlation: float

    def words(self) -> str:
        """Return what the correlation means."""
        if self.correlation > 0:
            return "both higher fits about as well as both lower"
        return "the first higher and the second lower fits about as well as the reverse"


def shown_number(value: float) -> str:
    """Return a number with three digits, from a thousand on as a whole one, and a true minus; an en dash where there is none."""
    if not math.isfinite(value):
        return "\u2013"
    text = thousands(round(value)) if 1e3 <= abs(value) < 1e7 else f"{value + 0.0:.3g}"
    return text.replace("-", MINUS)


def shown_interval(low: float, high: float) -> str:
    """Return an interval as text."""
    return f"{shown_number(low)} to {shown_number(high)}"


def by_contraction(contents: FitContents) -> pd.DataFrame:
    """Return the unknowns, those that the evidence speaks to most first."""
    return contents.unknowns.sort_values("contraction", ascending=False, kind="stable")


def informed_unknowns(contents: FitContents) -> pd.DataFrame:
    """Return the unknowns that the evidence speaks to, the best informed first."""
    table = by_contraction(contents)
    return table[table["contraction"] >= STAYED]


def unmoved_unknowns(contents: FitContents) -> pd.DataFrame:
    """Return the unknowns that stayed at their prior."""
    table = by_contraction(contents)
    return table[~(table["contraction"] >= STAYED)]


def inseparable_pairs(contents: FitContents) -> list[UnknownPair]:
    """Return the pairs of unknowns whose posterior correlation is beyond `ALIKE`, the closest first."""
    sd = np.sqrt(np.diag(contents.covariance))
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = np.nan_to_num(contents.covariance / np.outer(sd, sd))
    names = [str(name) for name in contents.unknowns["name"]]
    pairs = [
        UnknownPair(names[i], names[j], float(correlation[i, j]))
        for i in range(len(names))
        for j in range(i + 1, len(names))
        if abs(correlation[i, j]) >= ALIKE
    ]
    return sorted(pairs, key=lambda pair: -abs(pair.correlation))


def directions_of_data(contents: FitContents) -> pd.DataFrame:
    """Return stage, direction, eigenvalue and words of every direction of the data, stage by stage, the best known first."""
    table = contents.eigen.drop_duplicates(["stage", "direction"])[["stage", "direction", "eigenvalue"]]
    words = [
        direction_words(contents, str(stage), int(direction))
        for stage, direction in zip(table["stage"], table["direction"], strict=True)
    ]
    return table.assign(words=words).reset_index(drop=True)


def direction_words(contents: FitContents, stage: str, direction: int, most: int = 4, least: float = 0.25) -> str:
    """Return what one direction of the data moves: ``h_N0 up (0.78), care dMAP down (0.62)``."""
    table = contents.eigen[(contents.eigen["direction"] == direction) & (contents.eigen["stage"] == stage)]
    loadings = sorted(zip(table["unknown"], table["loading"], strict=True), key=lambda pair: -abs(pair[1]))
    if not loadings:
        return ""
    # A direction has no sign: its greatest part counts as up.
    sign = math.copysign(1.0, loadings[0][1])
    kept = [pair for number, pair in enumerate(loadings[:most]) if number == 0 or abs(pair[1]) >= least]
    return ", ".join(f"{name} {'up' if sign * size > 0 else 'down'} ({abs(size):.2f})" for name, size in kept)


def speaking_records(contents: FitContents, unknown: str, most: int = 3) -> list[tuple[str, float]]:
    """Return the records that say most of an unknown, each with its share of all that is said."""
    table = contents.speaking[contents.speaking["unknown"] == unknown].sort_values(
        "share", ascending=False, kind="stable"
    )
    return [(str(record), float(share)) for record, share in zip(table["record"][:most], table["share"], strict=False)]


def discrepancy_words(scale: str, tau: float, units: Sequence[str]) -> str:
    """Return one SD of what the model lacks in natural units.

    Parameters
    ----------
    scale
        ``angle``, ``log`` or ``linear``.
    tau
        SD on that scale.
    units
        Units of the rows of the class.

    Examples
    --------
    >>> from betapod.report.fit.fit_findings import discrepancy_words
    >>> discrepancy_words("angle", 0.47, ["1"])
    '20 % may be 5 to 41 %'
    >>> discrepancy_words("log", 0.36, ["1"])
    '× or ÷ 1.43'
    >>> discrepancy_words("linear", 1.7, ["mL/min/year"])
    '±1.7 mL/min/year'
    """
    if scale == "angle":
        at = 2 * math.asin(math.sqrt(_SHARE))
        low, high = (100 * on_natural_scale(scale, at + sign * tau) for sign in (-1, 1))
        return f"{100 * _SHARE:.0f} % may be {low:.0f} to {high:.0f} %"
    if scale == "log":
        return f"\u00d7 or \u00f7 {math.exp(tau):.3g}"
    kinds = list(dict.fromkeys(row_unit_text(unit) for unit in units if row_unit_text(unit)))
    if len(kinds) == 1:
        return f"±{tau:.2g} {kinds[0]}"
    of = f" ({listed(kinds)})" if 1 < len(kinds) < 5 else ""
    return f"±{tau:.2g} in the unit of the row{of}"


def rows_of_class(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the rows of a class of discrepancy, such as ``level mmHg``, see `kind_of_numbers`."""
    columns = (rows[column].astype(str) for column in ("class", "scale", "unit", "endpoint"))
    return rows[[kind_of_numbers(*row) == name for row in zip(*columns, strict=True)]]


def discrepancy_table(contents: FitContents) -> list[dict[str, Any]]:
    """Return the discrepancy by class: SDs of families and rows, both in words, and beside the typical error of a study."""
    lines = []
    for line in contents.discrepancy.to_dict("records"):
        rows = rows_of_class(contents.rows, str(line["class"]))
        units = [str(unit) for unit in dict.fromkeys(rows["unit"])]
        both = math.hypot(float(line["tau_family"]), float(line["tau_row"]))
        lines.append(
            {
                **{str(name): value for name, value in line.items()},
                "error": float(rows["se"].median()) if len(rows) else math.nan,
                "family_words": discrepancy_words(str(line["scale"]), float(line["tau_family"]), units),
                "row_words": discrepancy_words(str(line["scale"]), float(line["tau_row"]), units),
                "words": discrepancy_words(str(line["scale"]), both, units),
            }
        )
    return lines


def bias_table(contents: FitContents) -> list[list[str]]:
    """Return bias by design by class: rows and mean miss of open studies, and of blinded contrasts, in the direction of benefit."""
    lines = []
    for bias in contents.bias:
        rows = rows_of_class(contents.rows, bias.kind)
        unit = row_unit_text(rows["unit"].iloc[0]) if len(rows) else ""
        blinded = (
            [str(bias.blinded.rows), miss_words(bias.scale, bias.blinded, unit)] if bias.blinded else ["0", "no row"]
        )
        lines.append(
            [
                kind_in_words(bias.kind),
                str(bias.opened.rows),
                str(bias.opened.families),
                miss_words(bias.scale, bias.opened, unit),
                *blinded,
            ]
        )
    return lines


def miss_words(scale: str, miss: MeanMiss, unit: str = "") -> str:
    """Return a mean miss with its 90 % interval in natural units; of shares in points around 20 %."""
    middle, low, high = (_miss_value(scale, number) for number in (miss.mean, miss.low, miss.high))
    if scale == "log":
        return f"\u00d7{middle:.3g} ({low:.3g} to {high:.3g})"
    of_unit = " points" if scale == "angle" else f" {unit}" if unit else ""
    return f"{middle:+.2g} ({low:+.2g} to {high:+.2g}){of_unit}".replace("-", MINUS)


def _miss_value(scale: str, number: float) -> float:
    if scale == "angle":
        at = 2 * math.asin(math.sqrt(_SHARE))
        return 100 * (on_natural_scale(scale, at + number) - _SHARE)
    return math.exp(number) if scale == "log" else number


def family_misses(contents: FitContents) -> pd.DataFrame:
    """Return a row for each family: rows, whether fitted, and the median |z| before and after the fit."""
    rows = contents.rows
    table = rows.assign(before=rows["z_before"].abs(), after=rows["z_after"].abs())
    grouped = table.groupby(["family", "fitted"], sort=False, as_index=False)
    return grouped.agg(rows=("record", "size"), before=("before", "median"), after=("after", "median"))


def share_inside(rows: pd.DataFrame, column: str) -> str:
    """Return how many rows lie inside: ``31 (78 %)``."""
    count = int(rows[column].sum())
    return f"{count} ({percent_text(count / len(rows))})" if len(rows) else "no row"


#: Columns of rows that say whether a number lies inside the 90 % interval, and what the interval holds.
INSIDE: Mapping[str, str] = {
    "inside_before": "before the fit: errors of study and cohort",
    "inside_after": "after the fit: errors of study and cohort",
    "inside_parameters": "after the fit: with parameters drawn",
    "inside_all": "after the fit: with parameters drawn and what the model lacks",
}


def compared_rows(contents: FitContents) -> pd.DataFrame:
    """Return the rows with a prediction both before the fit and after it."""
    return contents.rows[rows_predicted(contents.rows["before"], contents.rows["mean"], after=True)]


def lost_rows(contents: FitContents) -> pd.DataFrame:
    """Return the rows with a prediction before the fit and none after it."""
    return contents.rows[rows_predicted(contents.rows["before"], contents.rows["mean"], after=False)]


def inside_table(contents: FitContents) -> list[list[str]]:
    """Return rows inside the 90 % interval, fitted and set aside apart: one line for each content of the interval."""
    rows = compared_rows(contents)
    parts = (rows[rows["fitted"]], rows[~rows["fitted"]])
    return [[words, *(share_inside(part, column) for part in parts)] for column, words in INSIDE.items()]


def fit_message(contents: FitContents) -> list[str]:
    """Return what came out in three sentences: how much is known, how well rows are met, and what the model lacks."""
    total, informed = len(contents.unknowns), len(informed_unknowns(contents))
    rows, lost = compared_rows(contents), lost_rows(contents)
    fitted, aside = rows[rows["fitted"]], rows[~rows["fitted"]]
    sentences = [
        f"The evidence speaks to {informed} of {counted(total, 'unknown')}: for these the posterior is narrower than the prior by a tenth or more. "
        f"{words_for_rest(total - informed)}",
        f"Of {counted(len(fitted), 'fitted row')} {share_inside(fitted, 'inside_before')} were inside the 90 % interval of errors before the fit, "
        f"and {share_inside(fitted, 'inside_parameters')} are inside after it, with parameters drawn."
        + (
            f" Of {counted(len(aside), 'row')} set aside, which the fit never saw, {share_inside(aside, 'inside_before')} were inside and "
            f"{share_inside(aside, 'inside_parameters')} are."
            if len(aside)
            else " No row was set aside."
        ),
    ]
    if rows["inside_all"].any():
        both = [f"{share_inside(fitted, 'inside_all')} of the fitted rows"] if len(fitted) else []
        both += [f"{share_inside(aside, 'inside_all')} of those set aside"] if len(aside) else []
        sentences.append(f"With a term for what the model lacks, {' and '.join(both)} are inside; 90 % should be.")
    if len(lost):
        families = ", ".join(sorted(set(lost["family"].astype(str))))
        sentences.append(
            f"{counted(len(lost), 'row')} had a prediction before the fit and {'has' if len(lost) == 1 else 'have'} none after it; {'it is' if len(lost) == 1 else 'they are'} not counted: {families}."
        )
    return sentences


def words_for_rest(count: int) -> str:
    """Return the sentence about unknowns that stayed at their prior."""
    if count == 0:
        return "None stayed at its prior."
    return f"The other {count} stayed at {'its prior and is' if count == 1 else 'their priors and are'} drawn from {'it' if count == 1 else 'them'}."

"""A fit as one HTML page that needs nothing else: what came out, pictures, tables of unknowns and directions, every row."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...calibration.design_bias import bias_sentences
from ...calibration.identifiability import ALIKE, STAYED
from ...physiology.installed_fits import SEAL
from ..common import svg, words
from ..common.interval_section import kind_in_words, row_unit_text
from ..common.pages import template
from ..common.words import percent_text
from . import fit_findings as findings
from .fit_contents import FitContents, natural_interval, printed_value, read_fit_contents
from .fit_drawings import AFTER, ASIDE, BEFORE, INK, LEFT_OUT, PRIOR, FitPicture, picture_anchor
from .fit_figures import fit_pictures

if TYPE_CHECKING:
    import pandas as pd
    from markupsafe import Markup

TEMPLATE = "fit.html.jinja"
#: Colours as drawn -> variables of the page.
_VARIABLES: Mapping[str, str] = {
    INK: "ink",
    "#000000": "ink",
    "#ffffff": "paper",
    "#e5e7eb": "grid",
    PRIOR: "prior",
    AFTER: "after",
    BEFORE: "before",
    ASIDE: "aside",
    LEFT_OUT: "left-out",
}
#: Which pictures stand under which heading.
_PARTS: Mapping[str, tuple[str, ...]] = {
    "coverage": ("coverage",),
    "unknowns": ("prior-posterior",),
    "directions": ("spectrum", "profiles"),
    "families": ("z-fitted", "z-set-aside"),
    "discrepancy": ("discrepancy", "observed-predicted"),
    "trace": ("trace",),
}
#: Directions that have words in the table.
_DIRECTIONS = 8


def write_fit_page(folder: str | Path, path: str | Path) -> Path:
    """Write the page of a fit folder and return its path.

    Raises
    ------
    ConfigError
        The folder is no fit folder, or the file cannot be written.
    MissingExtraError
        matplotlib is not installed.

    Examples
    --------
    >>> from betapod.report.fit.fit_page import write_fit_page
    >>> write_fit_page("fits/run1", "run1.html")  # doctest: +SKIP
    """
    from ...base.files import write_text

    return write_text(path, render_fit_page(read_fit_contents(folder)))


def render_fit_page(contents: FitContents) -> str:
    """Return the page; see `write_fit_page`."""
    from ... import __version__

    pictures = fit_pictures(contents)
    return template(TEMPLATE).render(
        title=contents.name,
        message=findings.fit_message(contents),
        overview=inside_overview(contents),
        warnings=[str(text) for text in _listed(contents.identity.get("warnings"))],
        inside=findings.inside_table(contents),
        counts=_counts(contents.rows),
        compared=_counts(findings.compared_rows(contents)),
        parts={part: [_drawn(picture) for picture in pictures if _belongs(picture, names)] for part, names in _PARTS.items()},
        coverage=_coverage_lines(contents),
        informed=[_unknown_line(contents, row) for row in findings.informed_unknowns(contents).head(findings.BEST_INFORMED).to_dict("records")],
        informed_more=max(len(findings.informed_unknowns(contents)) - findings.BEST_INFORMED, 0),
        unmoved=[_unknown_line(contents, row) for row in findings.unmoved_unknowns(contents).to_dict("records")],
        pairs=findings.inseparable_pairs(contents),
        bounded=[str(name) for name in contents.unknowns.loc[contents.unknowns["at_bound"], "name"]],
        spoken_to=STAYED,
        not_apart=ALIKE,
        speaks=len(contents.speaking) > 0,
        directions=_direction_lines(contents),
        know=int((findings.directions_of_data(contents)["eigenvalue"] > 1.0).sum()),
        of=len(findings.directions_of_data(contents)),
        discrepancy=[{**line, "label": kind_in_words(str(line["class"]))} for line in findings.discrepancy_table(contents)],
        bias=findings.bias_table(contents),
        bias_words=bias_sentences(contents.bias),
        left_out=_left_out_lines(contents),
        rows=_row_lines(contents),
        classes=list(dict.fromkeys(str(name) for name in contents.rows["class"])),
        class_words=kind_in_words,
        stages=stage_lines(contents.identity),
        checks=check_lines(contents.identity),
        provenance=provenance_lines(contents.identity),
        problem=_problem_text(contents.identity),
        version=__version__,
    )  # fmt: skip


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else [value] if value else []


def _belongs(picture: FitPicture, names: Sequence[str]) -> bool:
    return any(picture.name == name or picture.name.removeprefix(f"{name}-").isdigit() for name in names)


def _drawn(picture: FitPicture) -> dict[str, Any]:
    from ..common.themed import themed_svg

    name = picture_anchor(picture)
    drawn = themed_svg(lambda: picture.figure(titled=False), name, picture.alt, _VARIABLES)
    return {"name": name, "title": picture.title, "caption": picture.caption, "svg": drawn}


def _counts(rows: pd.DataFrame) -> tuple[int, int]:
    """Return how many rows were fitted and how many set aside."""
    return int(rows["fitted"].sum()), int((~rows["fitted"]).sum())


def inside_overview(contents: FitContents) -> Markup:
    """Return an SVG: rows inside the 90 % interval before and after the fit, fitted and set aside, beside the 90 % that should be."""
    left, width, row = 120, 340, 22
    scale = (width - left - 44) / 100
    rows = findings.compared_rows(contents)
    bars = []
    for name, part in (("fitted", rows[rows["fitted"]]), ("set aside", rows[~rows["fitted"]])):
        for label, column, colour in (
            ("before", "inside_before", "before"),
            ("after", "inside_parameters", "after"),
            ("with discrepancy", "inside_all", "aside"),
        ):
            if len(part):
                bars.append((name, label, float(part[column].mean()), colour))
    bottom = row * len(bars) + 14 * len({bar[0] for bar in bars}) + 12
    parts = [svg.svg_line(left + 90 * scale, 4, left + 90 * scale, bottom, "var(--ink)", "4 3")]
    y, previous = 6.0, ""
    for name, label, share, colour in bars:
        if name != previous:
            parts.append(svg.svg_text(0, y + 11, f"{name}:", "var(--ink)", "start"))
            y, previous = y + 14, name
        parts.append(svg.svg_text(left - 6, y + 12, label, "var(--ink)", "end"))
        parts.append(svg.svg_bar(left, y, max(100 * share * scale, 1.5), row - 7, f"var(--{colour})"))
        parts.append(svg.svg_text(width, y + 12, percent_text(share), "var(--ink)", "end"))
        y += row
    parts.append(svg.svg_text(left + 90 * scale, bottom + 13, "90 %", "var(--ink)", "middle"))
    told = "; ".join(f"{name}, {label}: {percent_text(share)} inside" for name, label, share, _ in bars)
    return svg.svg(width, bottom + 18, told, parts)


def _unknown_line(contents: FitContents, row: Mapping[Any, Any]) -> dict[str, Any]:
    text = findings.shown_number
    speaking = findings.speaking_records(contents, str(row["name"]))
    return {
        "name": row["name"],
        "label": row["label"] if row["label"] != row["name"] else "",
        "unit": row_unit_text(row["unit"]),
        "kind": row["kind"],
        "prior": f"{text(row['prior_median'])} ({findings.shown_interval(row['prior_low'], row['prior_high'])})",
        "posterior": f"{text(row['median'])} ({findings.shown_interval(row['low'], row['high'])})",
        "map": text(row["map"]),
        "contraction": f"{row['contraction']:.2f}",
        "speaking": ", ".join(f"{record} ({percent_text(share)})" for record, share in speaking),
    }


def _direction_lines(contents: FitContents) -> list[tuple[str, str, str]]:
    """Return number, eigenvalue and words of the best known directions of each stage."""
    lines = findings.directions_of_data(contents)
    several = lines["stage"].nunique() > 1
    return [
        (
            f"{row['stage']}, {int(row['direction'])}" if several else str(int(row["direction"])),
            findings.shown_number(float(row["eigenvalue"])),
            str(row["words"]),
        )
        for row in lines[lines["direction"] <= _DIRECTIONS].to_dict("records")
    ]


def _coverage_lines(contents: FitContents) -> list[list[str]]:
    """Return a line for each curve of coverage: the set, what its intervals hold, and the shares inside at each width."""
    table = contents.coverage
    if table.empty:
        return []
    lines = []
    keys = ["set", "by", "when", "parameters", "discrepancy"]
    for (name, by, when, parameters, discrepancy), part in table.groupby(keys, sort=False):
        holds = ["errors", *(["parameters"] if parameters else [])]
        holds += ["what the model lacks"] if discrepancy else []
        shares = {round(float(row["nominal"]), 3): float(row["actual"]) for row in part.to_dict("records")}
        width = [
            float(row["median_width"]) for row in part.to_dict("records") if math.isclose(float(row["nominal"]), 0.9)
        ]
        lines.append(
            [
                findings.SETS.get(str(name), str(name)), str(by), str(when), " + ".join(holds), str(int(part["count"].iloc[0])),
                *(percent_text(shares[level]) if level in shares else "\u2013" for level in (0.5, 0.8, 0.9, 0.95)),
                findings.shown_number(width[0]) if width else "\u2013",
            ]
        )  # fmt: skip
    return lines


def _left_out_lines(contents: FitContents) -> list[list[str]]:
    """Return families left out of the fit, those that it predicts worst against the start first."""
    table = contents.left_out.assign(gain=contents.left_out["loss_before"] - contents.left_out["loss_after"])
    return [
        [
            str(row["family"]), str(int(row["rows"])), percent_text(float(row["inside_before"])), percent_text(float(row["inside_after"])),
            findings.shown_number(float(row["loss_before"])), findings.shown_number(float(row["loss_after"])),
        ]
        for row in table.sort_values("gain", kind="stable").to_dict("records")
    ]  # fmt: skip


def _row_lines(contents: FitContents) -> list[dict[str, Any]]:
    lines = []
    for row in contents.rows.to_dict("records"):
        # On the log scale the unit may be that of a level, of which the number is a ratio.
        unit = {"angle": "%", "log": ""}.get(str(row["scale"]), row_unit_text(row["unit"]))
        observed, before, after = (printed_value(row, float(row[name])) for name in ("observed", "before", "after"))
        low, high = natural_interval(row, "mean", "reach")
        miss, gain = abs(float(row["z_after"])), abs(float(row["z_before"])) - abs(float(row["z_after"]))
        lines.append(
            {
                "record": row["record"], "family": row["family"], "class": row["class"], "fitted": "fitted" if row["fitted"] else "set aside",
                "endpoint": str(row["endpoint"]).replace("_", " ").replace(":", ": "), "unit": unit,
                "observed": findings.shown_number(observed), "before": findings.shown_number(before), "after": findings.shown_number(after),
                "limits": findings.shown_interval(low, high), "z_before": _one_digit(row["z_before"]), "z_after": _one_digit(row["z_after"]),
                "inside": "yes" if row["inside_parameters"] else "no",
                # Rows that cannot be computed stand last.
                "miss": miss if math.isfinite(miss) else "", "gain": gain if math.isfinite(gain) else "",
            }
        )  # fmt: skip
    return sorted(lines, key=lambda line: -(line["miss"] or -1.0))


def _one_digit(value: Any) -> str:
    return findings.shown_number(round(float(value), 1))


#: Keys of ``fit.json`` that are shown elsewhere, or say nothing to a reader.
_ELSEWHERE = frozenset({"name", "warnings", "problem", "stages", "files", "schema_version", "kind", "checks", SEAL})


def provenance_lines(identity: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return name and value of what a fit was made with; digests are shortened, of long lists the beginning is given."""
    lines = []
    for key, value in identity.items():
        if key in _ELSEWHERE:
            continue
        name = str(key).replace("_", " ")
        if isinstance(value, Mapping):
            lines += [(f"{name}: {part}", _plain_value(inner)) for part, inner in value.items()]
        else:
            lines.append((name, _plain_value(value)))
    return lines


def stage_lines(identity: Mapping[str, Any]) -> list[list[str]]:
    """Return a line for each stage: name, unknowns, passes, evaluations, loss, how it ended, draws of equal weight."""
    lines = []
    for stage in identity.get("stages") or []:
        if not isinstance(stage, Mapping):
            continue
        ended = "converged" if stage.get("converged") else f"not converged: {stage.get('reason', '')}"
        numbers = (stage.get("passes"), stage.get("evaluations"), stage.get("loss"))
        draws = stage.get("effective draws")
        lines.append(
            [
                str(stage.get("name", "")), ", ".join(map(str, stage.get("unknowns") or [])), *(_plain_value(number) for number in numbers),
                ended, _plain_value(draws),
            ]
        )  # fmt: skip
    return lines


def check_lines(identity: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """Return what the checks found, a title with sentences each: families left out, fitted again without some, invented data."""
    checks = identity.get("checks") or {}
    lines = [("Families left out, one linear step each", _coverage_sentences(checks.get("left out") or []))]
    refitted = checks.get("refitted") or {}
    if refitted:
        title = f"Fitted again without {', '.join(map(str, refitted.get('families') or []))}"
        lines.append((title, _coverage_sentences(refitted.get("coverage") or [])))
    lines.append(("Other choices of the likelihood", [str(text) for text in checks.get("other choices") or []]))
    for stage, sentences in (checks.get("invented data") or {}).items():
        lines.append((f"Invented data with a known truth, stage {stage}", [str(text) for text in sentences]))
    return [(title, sentences) for title, sentences in lines if sentences]


def _coverage_sentences(points: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return one sentence on the shares that intervals of rising width hold; none without points."""
    if not points:
        return []
    nominal, by_rows, by_families = (
        words.listed([percent_text(float(point[name])) for point in points]) for name in ("nominal", "rows", "families")
    )
    rows = words.counted(int(points[0]["row_count"]), "row")
    families = words.counted(int(points[0]["family_count"]), "family", "families")
    return [
        f"Intervals of {nominal}, with what the model lacks, hold {by_rows} of {rows} of {families}; as a mean over families {by_families}."
    ]


def _plain_value(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return findings.shown_number(value)
    if isinstance(value, list | tuple):
        texts = [str(item) for item in value]
        return ", ".join(texts) if sum(map(len, texts)) < 200 else f"{len(texts)}: {', '.join(texts[:6])} ..."
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_plain_value(inner)}" for name, inner in value.items())
    text = str(value)
    digest = len(text) >= 32 and all(letter in "0123456789abcdef" for letter in text)
    return text[:16] if digest else text


def _problem_text(identity: Mapping[str, Any]) -> str:
    text = identity.get("problem", "")
    return text if isinstance(text, str) else ""

"""The report of a trial: one HTML file, its tables as CSV and Parquet, its numbers as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import MissingExtraError
from ..exports import table_as_csv
from ..files import replacing, write_text
from . import brief, words
from .analyses import analyses
from .dictionary import describe
from .document import Page, Section, Table, render
from .sections import Extra, sections

if TYPE_CHECKING:
    import pandas as pd

    from ..trials.assessment import Assessment
    from ..trials.protocol import Protocol

WARNING = (
    "This is a simulation. It shows what follows from the assumptions of a model; it is no evidence that a treatment works or fails, "
    "and no medical device. Many parameters of the model are calibrated or assumed, as the methods say."
)

#: Works behind the statistics.
STATISTICS = (
    "Clopper CJ, Pearson ES. The use of confidence or fiducial limits illustrated in the case of the binomial. Biometrika 1934;26:404-413.",
    "Cox DR. Regression models and life-tables. J R Stat Soc B 1972;34:187-220. Ties: Efron B. J Am Stat Assoc 1977;72:557-565.",
    "Kaplan EL, Meier P. Nonparametric estimation from incomplete observations. J Am Stat Assoc 1958;53:457-481.",
    "Newcombe RG. Interval estimation for the difference between independent proportions. Stat Med 1998;17:873-890.",
    "Shapley LS. A value for n-person games. In: Contributions to the Theory of Games II. Princeton University Press 1953:307-317.",
    "Wilson EB. Probable inference, the law of succession, and statistical inference. J Am Stat Assoc 1927;22:209-212.",
)

#: Tables of an assessment that are written, by name.
TABLES = (
    "results",
    "courses",
    "parts",
    "evidence",
    "patients",
    "free",
    "adverse",
    "flow",
    "slopes",
    "baseline",
    "remission",
    "one_trial",
    "power",
    "sizes",
)


def page(a: Assessment, extra: Extra, provenance: Mapping[str, str]) -> Page:
    """Return the page of a report."""
    parts = [*sections(a, extra), *_claims(a), _limits(a), _methods(a), _sources(a), _dictionary(a)]
    subtitle = (
        f"{words.thousands(a.replicates)} simulated trials per design and supposition; {len(a.estimates)} combinations"
    )
    return Page(a.protocol.title, subtitle, WARNING, brief.answers(a, extra.shares), parts, tuple(provenance.items()))


def _claims(a: Assessment) -> list[Section]:
    """Return the claims that the run bears on, judged by the ledger; pooling their evidence needs the extra ``evidence``."""
    from . import ledger_page

    measured = set(a.courses["quantity"])
    cells = any(arm.cells for arm in a.protocol.arms.values())
    try:
        found = ledger_page.section(measured, cells)
    except MissingExtraError:
        text = 'The ledger that judges them pools published studies, which needs one more package: pip install "betapod[evidence]".'
        return [Section("claims", "Claims that this run bears on", [text])]
    return [] if found is None else [found]


def _limits(a: Assessment) -> Section:
    items = [
        "Virtual patients and their disease come from a model. What it leaves out (genetics, other kidney diseases, other organs, behaviour) "
        "cannot appear here.",
        "\u201cCurrent evidence\u201d shrinks the few controlled results on cells towards no effect; its parameters are uncertain, and here they are "
        "fixed at their central values, so the spread shown is that of patients and measurements alone.",
        "\u201cClaims\u201d are what promotional texts say, turned into parameters. Nothing supports these numbers; they are there to ask what would "
        "then be seen.",
        "Within-person variation of laboratory values is that of two examinations a few weeks apart in a survey; in advanced disease it may differ.",
        "Only one trial population and one course of cells was simulated. Sizes of trials hold for it, not for others.",
        "The effect of being in a trial is carried by the quantities that the protocol names; it does not pass on to others.",
        *(f"Assumed: {text}" for text in a.protocol.assumptions),
    ]
    return Section("limits", "What this report cannot say", items=items)


def _methods(a: Assessment) -> Section:
    p = a.protocol
    drift = [
        f"{item.therapy} in {words.percent(item.share)} ({item.note or 'assumed'})" for item in p.conduct.co_medication
    ]
    effects = [
        f"{words.named(_code(item.quantity))} {item.change or item.factor} ({item.note or 'assumed'})"
        for item in p.conduct.effects
    ]
    paragraphs = [
        "Every virtual patient was simulated with a coupled model of kidney, metabolism and cell therapy (72 differential equations) from before "
        "diabetes to screening, then through the trial once per treatment and supposition. A replicate of the trial draws from these courses: "
        "candidates are screened on noisy values, enrolled until the trial is full, allocated, measured at visits with error, and some are lost. "
        "Random numbers are named by seed, purpose, replicate and patient, so that designs, arms and suppositions share luck.",
        f"Drop-out {words.percent(p.conduct.drop_out)} per year; missed visits {words.percent(p.conduct.missed_visits)}; co-medication begun by others: "
        f"{'; '.join(drift) or 'none'}; effect of being in the trial: {'; '.join(effects) or 'none'}.",
        f"{analyses(p)} All estimates are computed for all "
        "replicates at once and agree with statsmodels and lifelines to eight digits; this is tested. Albuminuria is analysed on the logarithm.",
        "The true effect of cells is each patient's value less that of the same patient, with the same luck, without cells. Parts of a change are "
        "differences between simulations in which one thing is added after the other; regression to the mean is what the baseline "
        "measurement was off the patient's own value, undone. Likelihood ratios come from the share of replicates with a significant improvement "
        "(half a replicate added to each count) and, for the size of a result, from kernel densities.",
    ]
    return Section("methods", "Methods", paragraphs, folded=True)


def _code(name: str) -> str:
    from ..trials.quantities import code_of

    return code_of(name)


def _sources(a: Assessment) -> Section:
    from ..model.bibliography import Bibliography
    from ..model.parameters import source_keys
    from ..physiology import whole_body

    model = whole_body.model("reference")
    works = Bibliography.read(whole_body.BIBLIOGRAPHY)
    rows = [*model.parameters.values(), *model.inputs.values()]
    used = set(source_keys(rows))
    roles = {
        role: sum(row.role == role for row in rows)
        for role in ("literature", "derived", "calibrated", "assumed", "memory")
    }
    table = Table(
        "Where the parameters and inputs of the model come from.",
        ["role", "rows"],
        [[name, str(count)] for name, count in roles.items() if count],
    )
    items = [*a.protocol.sources, *(works[key].readable() for key in sorted(used) if key in works), *STATISTICS]
    return Section(
        "sources",
        "Sources",
        [
            f"{len(used)} works stand behind the parameters of the model; with the sources of the protocol and of the statistics they are:"
        ],
        items=items,
        tables=[table],
        folded=True,
    )


def _dictionary(a: Assessment) -> Section:
    rows = [[name, column, meaning, unit] for name, column, meaning, unit in describe(tables(a), a.code)]
    return Section(
        "dictionary",
        "Data dictionary",
        [
            "The numbers of this report stand beside it as CSV and Parquet. On the logarithmic scale, 100\u00b7(exp(x) \u2212 1) is the change in percent."
        ],
        tables=[Table("Columns of the tables.", ["table", "column", "meaning", "unit"], rows, 4)],
        folded=True,
    )


def tables(a: Assessment) -> dict[str, pd.DataFrame]:
    """Return the tables of an assessment that have rows, by name."""
    return {name: getattr(a, name) for name in TABLES if not getattr(a, name).empty}


def write(a: Assessment, extra: Extra, folder: Path, provenance: Mapping[str, str]) -> list[Path]:
    """Write the page, the tables and the dictionary; returns the files, the page first.

    Raises
    ------
    ConfigError
        The folder cannot be made or written to.
    """
    from ..errors import ConfigError, Location, Problem

    data = folder / "data"
    try:
        data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigError(Problem("cannot-write", f"cannot make the folder: {reason}", Location(str(folder)))) from None
    written = [write_text(folder / "report.html", render(page(a, extra, provenance)))]
    found = tables(a)
    if any(not each.table.empty for each in extra.shares):
        import pandas as pd

        found["mechanisms"] = pd.concat(
            [each.table.assign(hypothesis=each.hypothesis) for each in extra.shares], ignore_index=True
        )
    for name, table in found.items():
        written.append(write_text(data / f"{name}.csv", table_as_csv(table, float_format="%.8g")))
        written.append(_parquet(table, data / f"{name}.parquet"))
    rows = ["table,column,meaning,unit", *(",".join(_quoted(cell) for cell in row) for row in describe(found, a.code))]
    written.append(write_text(data / "dictionary.csv", "\n".join(rows) + "\n"))
    return written


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if "," in text or '"' in text else text


def _parquet(table: pd.DataFrame, path: Path) -> Path:
    from ..engine.database import connect, target

    with replacing(path) as temporary:
        connection = connect()
        try:
            connection.register("given", table)
            connection.execute(f"COPY given TO {target(temporary)} (FORMAT parquet)")
        finally:
            connection.close()
    return path


def as_dict(a: Assessment, extra: Extra) -> dict[str, Any]:
    """Return the numbers of a report as plain values for JSON."""
    return {
        "protocol": a.protocol.name,
        "replicates": a.replicates,
        "seed": a.protocol.seed,
        "primary": {"quantity": a.code, "visit": a.visit, "better": "lower" if a.better < 0 else "higher"},
        "assurance": {design: a.assurance(design) for design in a.controlled},
        "answers": [{"question": question, "answer": answer} for question, answer in brief.answers(a, extra.shares)],
        **{name: _records(table) for name, table in tables(a).items() if name not in ("patients", "free", "courses")},
        "mechanisms": [
            {"hypothesis": each.hypothesis, "effect": dict(each.effect), "shares": _records(each.table)}
            for each in extra.shares
        ],
    }


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    rows = []
    for record in table.to_dict("records"):
        rows.append(
            {
                str(name): None
                if isinstance(value, float) and not math.isfinite(value)
                else getattr(value, "item", lambda v=value: v)()
                for name, value in record.items()
            }
        )
    return rows


def summary(a: Assessment) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of the small table for the terminal."""
    rows = []
    for design in a.protocol.designs:
        for hypothesis in dict.fromkeys(a.results["hypothesis"]):
            row = a.result(design, str(hypothesis))
            if row:
                rows.append(
                    [
                        design,
                        words.hypothesis_short(str(hypothesis)),
                        words.estimated(a, row["mean"]),
                        words.estimated_range(a, row["low"], row["high"]),
                        words.percent(row["improved"]),
                        words.estimated(a, row["truth"]),
                    ]
                )
    return ["design", "cells", "mean", "95 % of trials", "benefit", "true effect"], rows


def provenance_of(protocol: Protocol, facts: Mapping[str, Any], command: Sequence[str] = ()) -> dict[str, str]:
    """Return what made a report: versions, fingerprint, seed, tolerances, command line."""
    import platform
    import shlex

    from .. import __version__
    from ..physiology import whole_body
    from ..trials.pool_making import ATOL, RTOL

    model = whole_body.model("reference")
    found = {
        "betapod": f"{__version__} (Python {platform.python_version()}, {platform.system()} {platform.machine()})",
        "model": f"reference, {len(model.states)} states, fingerprint {model.fingerprint[:16]}",
        "protocol": f"{protocol.name}, seed {protocol.seed}, {protocol.replicates} replicates",
        "integration": f"relative tolerance {RTOL:g}, absolute {ATOL:g}",
    }
    if facts.get("people"):
        found["virtual patients"] = (
            f"{facts['people']} people, {facts.get('integrations', 0)} courses integrated, {facts.get('lost', 0)} lost"
        )
    if command:
        found["command"] = shlex.join(["betapod", *command])
    return found

"""The report of a trial: one HTML file, its tables as CSV and Parquet, its numbers as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...base.errors import MissingExtraError
from ...base.exports import table_as_csv
from ...base.files import replacing, write_text
from ..common import words
from ..common.document import Page, Section, Table, render_page
from ..common.drawing import Drawing, slug
from . import answers, methods
from .brief import brief
from .data_dictionary import describe_columns, is_change
from .estimates import of_row
from .sections import ReportSupplement, sections

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

    from ...trials.operating.result_tables import Assessment
    from ...trials.protocol.protocol import Protocol

#: Effects and shares below this are rounding errors.
_NOTHING = 1e-12
WARNING = (
    "This is a simulation: it shows what follows from the assumptions of a model. It is no evidence that a treatment works or fails, "
    "and no medical device."
)

#: Works behind the statistics, by what they are needed for.
STATISTICS = {
    "adverse": "Clopper CJ, Pearson ES. The use of confidence or fiducial limits illustrated in the case of the binomial. Biometrika 1934;26:404-413.",
    "cox": "Cox DR. Regression models and life-tables. J R Stat Soc B 1972;34:187-220. Ties: Efron B. J Am Stat Assoc 1977;72:557-565.",
    "looks": "Tsiatis AA, Rosner GL, Mehta CR. Exact confidence intervals following a group sequential test. Biometrics 1984;40:797-803. "
    "Jennison C, Turnbull BW. Group sequential methods with applications to clinical trials. Chapman & Hall/CRC 1999.",
    "free": "Kaplan EL, Meier P. Nonparametric estimation from incomplete observations. J Am Stat Assoc 1958;53:457-481.",
    "responders": "Newcombe RG. Interval estimation for the difference between independent proportions. Stat Med 1998;17:873-890.",
    "shares": "Shapley LS. A value for n-person games. In: Contributions to the Theory of Games II. Princeton University Press 1953:307-317.",
    "rates": "Wilson EB. Probable inference, the law of succession, and statistical inference. J Am Stat Assoc 1927;22:209-212.",
}

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
    "multiple_tests",
    "looks",
    "looked",
    "claimed",
    "survival",
    "hierarchy",
    "tipping",
    "power",
    "sizes",
)


def page(assessment: Assessment, extra: ReportSupplement, provenance: Mapping[str, str]) -> Page:
    """Return the page of a report."""
    first = brief(assessment)
    body = sections(assessment, extra)
    picture, body = _taken_out(body, f"studies-{slug(first.design)}")
    parts = [
        *body,
        *_claims(assessment),
        methods.limits(assessment),
        methods.methods(assessment),
        _sources(assessment, extra),
        _dictionary(assessment),
    ]
    subtitle = words.counted(assessment.replicates, "simulated trial")
    if len(assessment.protocol.designs) > 1:
        subtitle += f" of each of {len(assessment.protocol.designs)} designs"
    supposed = words.scenarios(assessment)
    if words.has_cells(assessment) and len(supposed) > 1:
        subtitle += f", under each of {len(supposed)} scenarios about the cells"
    return Page(
        assessment.protocol.title,
        subtitle,
        WARNING,
        first.message,
        first.facts,
        picture,
        answers.answer_questions(assessment, extra.shares),
        parts,
        tuple(provenance.items()),
    )


def _taken_out(sections: Sequence[Section], name: str) -> tuple[Drawing | None, list[Section]]:
    """Return the figure of a name, and the sections without it."""
    figures = {figure.name: figure for section in sections for figure in section.figures}
    left = [replace(s, figures=[f for f in s.figures if f.name != name]) for s in sections]
    return figures.get(name), left


def _claims(assessment: Assessment) -> list[Section]:
    """Return the claims that the run bears on, judged by the ledger; pooling their evidence needs the extra ``evidence``."""
    from ...trust.trust_treatments import treatments_named
    from ..claims import claims_page as ledger_page

    measured = set(assessment.courses["quantity"])
    arms = assessment.protocol.arms.values()
    treatments = treatments_named(item.therapy for arm in arms for item in arm.therapies)
    try:
        section = ledger_page.section(measured, any(arm.cells for arm in arms), treatments)
    except MissingExtraError:
        text = 'The ledger that judges them pools published studies, which needs one more package: pip install "betapod[evidence]".'
        return [Section("claims", "Claims that this run bears on", [text])]
    return [] if section is None else [section]


def _sources(assessment: Assessment, extra: ReportSupplement) -> Section:
    from ...model.bibliography import Bibliography
    from ...model.parameters.table import source_keys
    from ...physiology import whole_body

    model = whole_body.named_model("reference")
    works = Bibliography.read(whole_body.BIBLIOGRAPHY)
    rows = [*model.parameters.values(), *model.inputs.values()]
    used = set(source_keys(rows))
    roles = {
        role: sum(row.role == role for row in rows)
        for role in ("literature", "derived", "calibrated", "tuned", "assumed", "memory")
    }
    table = Table(
        "Where the parameters and inputs of the model come from.",
        ["role", "rows"],
        [[name, str(count)] for name, count in roles.items() if count],
    )
    items = [
        *assessment.protocol.sources,
        *(works[key].readable() for key in sorted(used) if key in works),
        *_statistics(assessment, extra),
    ]
    return Section(
        "sources",
        "Sources",
        [
            f"{len(used)} works are the sources of the model's parameters; with those of the protocol and of the statistics they are:"
        ],
        items=items,
        tables=[table],
        folded=True,
    )


def _statistics(assessment: Assessment, extra: ReportSupplement) -> list[str]:
    """Return the works behind the statistics that this report holds."""
    every = [assessment.protocol.endpoints.primary, *assessment.protocol.endpoints.secondary]
    used = {"rates", *(endpoint.summary for endpoint in every)}
    used |= (
        {"cox"} if "time to event" in used or "hazard" in " ".join(assessment.one_trial.get("analysis", [])) else set()
    )
    used |= {name for name in ("adverse", "free", "looks") if not getattr(assessment, name).empty}
    used |= {"shares"} if extra.shares else set()
    return [work for name, work in STATISTICS.items() if name in used]


def _dictionary(assessment: Assessment) -> Section:
    rows = [
        [name, column, meaning, unit]
        for name, column, meaning, unit in describe_columns(report_tables(assessment), assessment.code)
    ]
    return Section(
        "dictionary",
        "Data dictionary",
        [
            "The numbers of this report stand beside it as CSV and Parquet. On the logarithmic scale, 100\u00b7(exp(x) \u2212 1) is the change in percent."
        ],
        tables=[Table("Columns of the tables.", ["table", "column", "meaning", "unit"], rows, 4)],
        folded=True,
    )


def report_tables(assessment: Assessment) -> dict[str, pd.DataFrame]:
    """Return the tables of an assessment that have rows, by name; without columns and rows about cells where nobody gets them."""
    by_name = {name: getattr(assessment, name) for name in TABLES if not getattr(assessment, name).empty}
    if not words.has_cells(assessment):
        by_name.pop("evidence", None)
        by_name = {name: _without_cells(table, words.scenarios(assessment)) for name, table in by_name.items()}
    return {name: _rounded(table) for name, table in by_name.items() if not table.empty}


def _without_cells(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    table = table.drop(columns=[name for name in ("tests_cells", "true_effect_of_cells", "cells") if name in table])
    if "scenario" in table:
        table = table[table["scenario"].isin(names)].drop(columns="scenario")
    return table[table["part"] != "cells"] if "part" in table else table


def _rounded(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table in which what is 0 but for the last digits of a computer is 0; shares and p values stay."""
    table = table.copy()
    for column in table.select_dtypes("float"):
        if is_change(str(column)):
            table[column] = table[column].where(~(table[column].abs() < 1e-12), 0.0)
    return table


def write_trial_report(
    assessment: Assessment, extra: ReportSupplement, folder: Path, provenance: Mapping[str, str]
) -> list[Path]:
    """Write the page, the tables and the dictionary; returns the files, the page first.

    Raises
    ------
    ConfigError
        The folder cannot be made or written to.
    """
    from ...base.errors import ConfigError, Location, Problem
    from ...engine.runs.database import connect

    data = folder / "data"
    try:
        data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigError(Problem("cannot-write", f"cannot make the folder: {reason}", Location(str(folder)))) from None
    written = [write_text(folder / "report.html", render_page(page(assessment, extra, provenance)))]
    by_name = report_tables(assessment)
    if any(not attribution.table.empty for attribution in extra.shares):
        import pandas as pd

        by_name["mechanisms"] = pd.concat(
            [attribution.table.assign(scenario=attribution.scenario) for attribution in extra.shares], ignore_index=True
        )
    with closing(connect()) as connection:
        for name, table in by_name.items():
            text = table_as_csv(_without_rounding_errors(table), float_format="%.8g")
            written.append(write_text(data / f"{name}.csv", text))
            written.append(_parquet(connection, table, data / f"{name}.parquet"))
    rows = [
        "table,column,meaning,unit",
        *(",".join(_quoted(cell) for cell in row) for row in describe_columns(by_name, assessment.code)),
    ]
    written.append(write_text(data / "dictionary.csv", "\n".join(rows) + "\n"))
    return written


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if "," in text or '"' in text else text


def _parquet(connection: duckdb.DuckDBPyConnection, table: pd.DataFrame, path: Path) -> Path:
    from ...engine.runs.database import sql_path

    with replacing(path) as temporary:
        connection.register("given", table)
        connection.execute(f"COPY given TO {sql_path(temporary)} (FORMAT parquet)")
    return path


def report_as_dict(assessment: Assessment, extra: ReportSupplement) -> dict[str, Any]:
    """Return the numbers of a report as plain values for JSON."""
    return {
        "protocol": assessment.protocol.name,
        "replicates": assessment.replicates,
        "seed": assessment.protocol.seed,
        "primary": {
            "quantity": assessment.code,
            "visit": assessment.visit,
            "better": "lower" if assessment.better < 0 else "higher",
        },
        "assurance": {design: _number(assessment.assurance(design)) for design in assessment.controlled},
        "people_behind_patients": {design: people.as_dict() for design, people in assessment.behind.items()},
        "message": brief(assessment).message,
        "facts": list(brief(assessment).facts),
        "answers": [
            {"question": question, "answer": answer}
            for question, answer in answers.answer_questions(assessment, extra.shares)
        ],
        **{
            name: _records(table)
            for name, table in report_tables(assessment).items()
            if name not in ("patients", "free", "courses")
        },
        "mechanisms": [
            {
                "scenario": attribution.scenario,
                "effect": {name: _number(float(value)) for name, value in attribution.effect.items()},
                "shares": _records(attribution.table),
            }
            for attribution in extra.shares
        ],
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


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


def _without_rounding_errors(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table in which effects and shares of less than a million-millionth are nothing; a p value may be as small."""
    rounded = table.copy(deep=False)
    for name in rounded.columns:
        if rounded[name].dtype.kind == "f" and name != "p":
            rounded[name] = rounded[name].where(~(rounded[name].abs() < _NOTHING), 0.0)
    return rounded


def terminal_summary(assessment: Assessment) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of the small table for the terminal; columns that say nothing are left out."""
    named = words.has_cells(assessment)
    keep = (assessment.results["role"] == "primary") & (assessment.results["stratum"] == "all")
    rows = [
        row
        for row in assessment.results[keep].to_dict("records")
        if row["scenario"] in words.scenarios(assessment, *assessment.protocol.designs[row["design"]].arms)
    ]
    several = len({row["design"] for row in rows}) > 1
    pairs = {(row["design"], row["treated"]) for row in rows}
    compared = not named or len(pairs) > len({design for design, _ in pairs})
    truth = {words.truth_label(row["truth_of"]) for row in rows if math.isfinite(row["truth"])}
    header = [
        *(["design"] if several else []),
        *(["comparison"] if compared else []),
        *(["cells"] if named else []),
        "mean",
        "95 % of trials",
        "benefit",
        *([truth.pop() if len(truth) == 1 else "true effect"] if truth else []),
    ]
    cells = []
    for row in rows:
        scale = of_row(row)
        control = (
            f"{row['treated']} against {row['control']}" if row["control"] else f"{row['treated']}, before and after"
        )
        has = words.has_cells(assessment, *assessment.protocol.designs[row["design"]].arms)
        cells.append(
            [
                *([row["design"]] if several else []),
                *([control] if compared else []),
                *([words.scenario_short(str(row["scenario"])) if has else "none given"] if named else []),
                scale.text(row["mean"]),
                scale.range(row["low"], row["high"]),
                words.percent_text(row["improved"]),
                *([scale.text(row["truth"])] if "true" in header[-1] else []),
            ]
        )
    return header, cells


def provenance_of(protocol: Protocol, facts: Mapping[str, Any], command: Sequence[str] = ()) -> dict[str, str]:
    """Return what made a report: versions, fingerprint, seed, tolerances, command line."""
    import platform
    import shlex

    from ... import __version__
    from ...physiology import whole_body
    from ...trials.conduct.pool_build import ATOL, RTOL

    model = whole_body.named_model("reference")
    facts_shown = {
        "betapod": f"{__version__} (Python {platform.python_version()}, {platform.system()} {platform.machine()})",
        "model": f"reference, {len(model.states)} states, fingerprint {model.fingerprint[:16]}",
        "protocol": f"{protocol.name}, seed {protocol.seed}, {protocol.replicates} replicates",
        "integration": f"relative tolerance {RTOL:g}, absolute {ATOL:g}",
    }
    if facts.get("people"):
        facts_shown["virtual patients"] = (
            f"{facts['people']} people, {facts.get('integrations', 0)} courses integrated, {facts.get('lost', 0)} lost"
        )
    if command:
        facts_shown["command"] = shlex.join(["betapod", *command])
    return facts_shown

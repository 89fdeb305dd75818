"""From a row of a table to a record: numbers, units, signs, classes; every problem of a row at once, with its line."""

from __future__ import annotations

import re
from dataclasses import replace

from ...base import clinical
from ...base.errors import UnitError, did_you_mean
from . import vocabulary
from .dispersions import read_dispersion, transformed
from .evidence_units import Conversion, is_known_unit, spelt
from .plain_words import in_plain_words
from .possible_means import impossible_mean
from .row import Row
from .scales import by_unit, needs_unit, statistic_unit
from .study import SOURCE_LEVELS, Dispersion, Record

#: Columns of both tables; those of one are empty in the other.
REQUIRED = (
    "study_id",
    "citation",
    "population",
    "design",
    "arm",
    "endpoint",
    "statistic",
    "value",
    "unit",
    "quote",
    "tag",
)
OPTIONAL = (
    "doi",
    "pmcid_or_url",
    "year",
    "product",
    "route",
    "dose_cells",
    "dose_unit",
    "intervention",
    "n",
    "timepoint_weeks",
    "dispersion",
    "dispersion_type",
    "p_value",
    "source_level",
    "doi_tag",
    "trial_family",
    "species",
    "grade",
    "replaces",
)


def read_row(row: Row, number: int, table: str) -> Record | None:
    """Return the record of a row, or None with the row's problems noted."""
    for column in REQUIRED:
        if not row[column] and column not in ("value", "unit", "quote", "citation"):
            row.wrong("missing-value", "the cell is empty", column)
    if row["tag"] not in ("seen", "memory"):
        row.wrong("unknown-tag", "how was the number come by?", "tag", "seen or memory")
    statistic = _statistic(row)
    population = _class(
        row, "population", vocabulary.population_of(row["population"]), "CODE; detail, such as 'T2D; adults'"
    )
    design = _class(row, "design", vocabulary.design_of(row["design"]), "CODE; detail, such as 'RCT; double-blind'")
    treatment = "product" if row["product"] else "intervention"
    product = vocabulary.product_of(row[treatment])
    if not row[treatment]:
        row.wrong("missing-value", "the treatment is empty", "product")
    elif not product:
        product = in_plain_words(row, treatment, vocabulary.treatment_classes()) or ""
    if row[treatment] and not product:
        product = row[treatment]
        row.remarks.append(f"treatment {product!r} is in no known class: it is grouped by its own name")
    endpoint = vocabulary.endpoints().get(row["endpoint"])
    endpoint_text = row["endpoint"]
    if endpoint is None and (word := in_plain_words(row, "endpoint", vocabulary.endpoints())):
        endpoint, endpoint_text = vocabulary.endpoints()[word], word
    if endpoint is None:
        endpoint = vocabulary.EvidenceEndpoint(row["endpoint"])
        # The package's own findings have endpoints of their own: nobody mistyped them.
        hint = did_you_mean(row["endpoint"], vocabulary.endpoints()) if row.guessed else ""
        row.remarks.append(
            f"endpoint {row['endpoint']!r} has no unit of its own in the vocabulary: kept as printed. {hint}".strip()
        )
    if statistic is not None and statistic.kind == "mean" and endpoint.name.endswith("_slope"):
        statistic = replace(statistic, kind="slope")
    if statistic is not None:
        statistic = by_unit(row, statistic, endpoint)
    level = row["source_level"] or _source_level(row, design)
    if level not in SOURCE_LEVELS:
        row.wrong(
            "unknown-source-level",
            "no such level",
            "source_level",
            ", ".join(SOURCE_LEVELS),
            did_you_mean(level, SOURCE_LEVELS),
        )
    weeks, dose = row.number("timepoint_weeks"), row.number("dose_cells")
    for column, value in (("timepoint_weeks", weeks), ("dose_cells", dose)):
        if value is not None and value < 0:
            row.wrong("bad-number", "this is negative", column)
    n, year = row.whole("n", 0), row.whole("year", 1800)
    contrast = _contrast(row, statistic, design)
    value, dispersion, unit, name = _numbers(row, statistic, endpoint, contrast, product)
    if row["tag"] == "seen" and not row["quote"]:
        row.wrong("missing-value", "a seen number needs the words it was read in", "quote")
    if row.problems or statistic is None:
        return None
    study = vocabulary.study_families().get(row["study_id"], vocabulary.Study())
    if row["tag"] == "memory":
        row.remarks.append("recalled, not read: shown, never used")
    if level == "author_manuscript_discrepant":
        row.remarks.append("the deposited manuscript differs from the published abstract")
    return Record(
        id=f"{row['study_id']}#{number}",
        study=row["study_id"],
        family=row["trial_family"] if not study.family else study.family,
        citation=row["citation"],
        doi=row["doi"],
        locator=row["pmcid_or_url"],
        year=year,
        population=population,
        population_text=row["population"],
        design=design,
        design_text=row["design"],
        arm=row["arm"],
        product=product,
        product_text=row[treatment],
        route=vocabulary.route_of(row["route"]),
        dose=dose,
        dose_unit=row["dose_unit"],
        n=n,
        endpoint=name,
        endpoint_text=endpoint_text,
        weeks=weeks,
        kind=statistic.kind,
        contrast=contrast,
        statistic_text=row["statistic"],
        value=value,
        direction=_direction(row, statistic),
        dispersion=dispersion,
        unit=unit,
        better=endpoint.better,
        p_value=row["p_value"],
        quote=row["quote"],
        tag=row["tag"],
        source_level=level,
        grade=row["grade"] or study.grade,
        bias=study.remark,
        printed_value=row["value"],
        printed_dispersion=row["dispersion"],
        printed_unit=row["unit"],
        remarks=tuple(row.remarks),
        location=row.place,
        table=table,
        replaces=row["replaces"],
        species=row["species"] or vocabulary.species_of(row["population"], row["design"]),
    )


def _class(row: Row, column: str, text: str, expected: str) -> str:
    if row[column] and not text:
        from .study import DESIGNS, POPULATIONS

        classes = POPULATIONS if column == "population" else DESIGNS
        before = len(row.problems)
        text = in_plain_words(row, column, classes) or ""
        if text or len(row.problems) > before:
            return text
        code = row[column].partition(";")[0].strip()
        row.wrong(
            f"unknown-{column}",
            f"{code!r} is no known class",
            column,
            expected,
            did_you_mean(code, classes) or f"Classes: {', '.join(classes)}.",
        )
    return text


def _statistic(row: Row) -> vocabulary.Statistic | None:
    text = row["statistic"]
    if text.startswith("qualitative"):
        return vocabulary.statistics().get(text, vocabulary.Statistic("qualitative", "unclear"))
    statistic = vocabulary.statistics().get(text)
    before = len(row.problems)
    if text and statistic is None and (word := in_plain_words(row, "statistic", vocabulary.statistics())):
        return vocabulary.statistics()[word]
    if text and statistic is None and len(row.problems) == before:
        row.wrong(
            "unknown-statistic", "no such statistic", "statistic", hint=did_you_mean(text, vocabulary.statistics())
        )
    return statistic


def _direction(row: Row, statistic: vocabulary.Statistic) -> str:
    if statistic.kind != "qualitative":
        return ""
    return row["statistic"].partition(":")[2] or row["value"]


def _source_level(row: Row, design: str) -> str:
    if row["tag"] == "memory":
        return "memory_unconfirmed"
    if design == "meta-analysis":
        return "meta_analysis"
    return vocabulary.source_level_of(row["pmcid_or_url"]) or "primary_abstract"


#: What makes a comparison one of exposures, not of treatments.
_EXPOSURE = re.compile(
    r"^per |hyperfilt|hyperfiltration|trajectory|remission|progressor|mGFR vs|rapid vs| fall vs|quartile|R2\*|vs lower|vs normal$|hypertension$",
    re.I,
)
_CONTROLLED = ("RCT", "controlled-trial", "nonrandomised-controlled", "pooled-IPD", "meta-analysis", "review")


def _contrast(row: Row, statistic: vocabulary.Statistic | None, design: str) -> str:
    if statistic is None:
        return "unclear"
    if statistic.contrast == "between" and statistic.kind != "qualitative":
        matched = design == "cohort" and "matched" in row["design"]
        if (
            _EXPOSURE.search(row["arm"])
            or "per SD" in row["statistic"]
            or "_per_" in row["endpoint"]
            or not (matched or design in _CONTROLLED)
        ):
            return "association"
    return statistic.contrast


def _numbers(
    row: Row, statistic: vocabulary.Statistic | None, endpoint: vocabulary.EvidenceEndpoint, contrast: str, product: str
) -> tuple[float | None, Dispersion | None, str, str]:
    """Return value, dispersion, unit and the endpoint's name (which may depend on the unit)."""
    name = endpoint.name
    if statistic is None or statistic.kind == "qualitative":
        if statistic is None:
            row.number("value")
        return None, None, "", name
    if not row["value"]:
        row.wrong("missing-value", "a number is needed for this statistic", "value")
    if not row["unit"] and needs_unit(statistic):
        usual = clinical.known_quantity(name)
        expected = ", ".join(usual.usual) if usual is not None else endpoint.unit or "a unit; 1 for a plain number"
        expected = (
            "% or fraction" if statistic_unit(statistic, endpoint) in ("%", "1") and name != "HbA1c" else expected
        )
        row.wrong("missing-unit", "a number needs its unit", "unit", expected, "Nothing is converted on a guess.")
        return None, None, "", name
    if any(problem.kind == "wrong-unit" for problem in row.problems):
        return None, None, "", name
    if not is_known_unit(row["unit"]):
        row.wrong(
            "unknown-unit",
            "the unit cannot be read",
            "unit",
            hint="Write units like mL/min/1.73m2, mg/g, mmol/L or fraction.",
        )
        return None, None, "", name
    value = row.number("value")
    target = statistic_unit(statistic, endpoint)
    plain = spelt(row["unit"])[0]
    if name == "insulin_dose" and "/kg" not in plain and plain.startswith(("IU", "U")):
        name, target = "insulin_dose_total", "IU/day"
    try:
        conversion = Conversion(
            name,
            row["unit"],
            target,
            level=statistic.contrast == "level",
            location=row.where("unit"),
            share=statistic.kind == "percent" or "percent" in statistic.transform,
        )
    except UnitError as error:
        if (plain == "mL/min" or plain.startswith("mL/min/")) and "1.73" not in plain and "1.73" in target:
            # Clearances not indexed to body surface are another quantity, not a mistake.
            name = f"{name}_absolute"
            row.remarks.append("not indexed to 1.73 m2: kept apart")
            conversion = Conversion(name, row["unit"], target.replace("/1.73m2", ""), True, row.where("unit"))
        else:
            row.problems += error.problems
            return None, None, "", name
    if row["unit"] == "pmol/mL x180min":
        name = "C_peptide_AUC_unknown_time_base"
        row.remarks.append("the time base of this area is not stated: not converted, kept apart")
    if value is not None:
        value = transformed(conversion(value), statistic.transform)
    unit = "1" if statistic.transform and statistic.transform != "negate" else conversion.unit
    _check(row, statistic, value)
    if value is not None and (wrong := impossible_mean(statistic, name, unit, value)):
        row.wrong("impossible", wrong[0], "value", wrong[1], "Is the unit right?")
    dispersion = read_dispersion(row, statistic, conversion, value)
    return value, dispersion, unit, name


def _check(row: Row, statistic: vocabulary.Statistic, value: float | None) -> None:
    if value is None:
        return
    if statistic.kind == "proportion" and not 0.0 <= value <= 1.0:
        row.wrong("implausible-value", "a proportion lies between 0 and 1", "value")
    if statistic.kind in ("hazard_ratio", "risk_ratio", "odds_ratio", "geometric_ratio") and value <= 0.0:
        row.wrong("implausible-value", "a ratio is positive", "value")
    if statistic.kind == "correlation" and not -1.0 <= value <= 1.0:
        row.wrong("implausible-value", "a correlation lies between -1 and 1", "value")

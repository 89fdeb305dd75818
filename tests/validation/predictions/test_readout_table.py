"""What a printed statistic becomes, by its unit and by the scale of its quantity: a read-out, or a refusal with a place."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from betapod.base.errors import EvidenceError
from betapod.evidence.records import registry
from betapod.evidence.records.study import Dispersion, Record
from betapod.evidence.synthesis.reported_error import reported_error
from betapod.validation.predictions.published_value import published_value
from betapod.validation.predictions.study_readouts import readout_of

HEAD = "study_id,citation,population,design,arm,product,n,endpoint,timepoint_weeks,statistic,value,dispersion,dispersion_type,unit,quote,tag"


def read(path: Path, statistic: str, endpoint: str, unit: str, value: str, spread: str = ",") -> Record:
    arm = "ZZ vs placebo" if "group" in statistic or "difference" in statistic or "control" in statistic else "ZZ"
    path.write_text(
        f"{HEAD}\nZZ1,Made up,DKD; x,RCT; x,{arm},ZZ,100,{endpoint},52,{statistic},{value},{spread},{unit},q,seen\n",
        encoding="utf-8",
    )
    (record,) = registry.check_table(path)
    return record


#: Statistic, endpoint, unit, printed -> kind, form and scale of the read-out, observed number on the scale of comparison.
READ = [
    ("between-group difference", "UACR", "%", "-31", "percent", "ratio", "log", math.log(0.69)),
    ("diff_vs_control", "UACR", "%", "-31", "percent", "ratio", "log", math.log(0.69)),
    ("diff_vs_control", "UACR", "mg/g", "-120", "difference", "change", "linear", -120.0),
    ("between-group geometric mean difference", "UACR", "%", "-31", "geometric_ratio", "ratio", "log", math.log(0.69)),
    ("between-group geometric mean difference", "UACR", "fraction", "-0.31", "geometric_ratio", "ratio", "log", math.log(0.69)),
    ("ratio to baseline", "UACR", "%", "48", "geometric_ratio", "ratio", "log", math.log(0.48)),
    ("ratio to baseline", "UACR", "ratio", "0.48", "geometric_ratio", "ratio", "log", math.log(0.48)),
    ("ratio to baseline", "UACR", "1", "0.48", "geometric_ratio", "ratio", "log", math.log(0.48)),
    ("ratio of LS mean change", "UACR", "ratio", "0.69", "geometric_ratio", "ratio", "log", math.log(0.69)),
    ("ratio of LS mean change", "UACR", "%", "69", "geometric_ratio", "ratio", "log", math.log(0.69)),
    ("change_percent", "UACR", "%", "-40", "percent", "ratio", "log", math.log(0.6)),
    ("change_percent", "UACR", "fraction", "-0.4", "percent", "ratio", "log", math.log(0.6)),
    ("change_mean", "UACR", "%", "-40", "percent", "ratio", "log", math.log(0.6)),
    ("mean change", "eGFR", "mL/min/1.73m2", "-4", "mean", "change", "linear", -4.0),
    ("mean change", "eGFR", "%", "-4", "percent", "ratio", "linear", -4.0),
    ("relative difference", "eGFR", "%", "5", "percent", "ratio", "log", math.log(1.05)),
    ("diff_vs_control", "HbA1c", "%", "-0.5", "difference", "change", "linear", -0.5),
    ("diff_vs_control", "eGFR", "mL/min/1.73m2", "3", "difference", "change", "linear", 3.0),
    ("mean", "UACR", "mg/g", "300", "mean", "level", "log", math.log(300.0)),
]  # fmt: skip

#: What cannot be told, and the kind of the problem.
REFUSED = [
    ("mean", "UACR", "%", "48", "wrong-unit"),
    ("geometric mean", "UACR", "ratio", "0.48", "wrong-unit"),
    ("diff_vs_control", "UACR", "ratio", "0.69", "wrong-unit"),
    ("diff_vs_control", "UACR", "", "-31", "missing-unit"),
    ("diff_vs_control", "HbA1c", "", "-0.5", "missing-unit"),
    ("change_percent", "UACR", "", "-40", "missing-unit"),
    ("change_percent", "UACR", "ratio", "0.6", "wrong-unit"),
    ("ratio to baseline", "UACR", "", "48", "missing-unit"),
    ("between-group geometric mean difference", "UACR", "ratio", "0.69", "wrong-unit"),
    ("risk reduction", "ESKD", "", "25", "missing-unit"),
    ("risk reduction", "ESKD", "ratio", "0.75", "wrong-unit"),
    ("proportion", "ESKD", "", "0.25", "missing-unit"),
    ("rate", "ESKD", "", "4", "missing-unit"),
    ("hazard ratio", "ESKD", "mg/g", "0.7", "wrong-unit"),
]


@pytest.mark.parametrize(("statistic", "endpoint", "unit", "printed", "kind", "form", "scale", "number"), READ)
def test_a_number_is_compared_as_what_it_is(
    tmp_path: Path,
    statistic: str,
    endpoint: str,
    unit: str,
    printed: str,
    kind: str,
    form: str,
    scale: str,
    number: float,
) -> None:
    record = read(tmp_path / "mine.csv", statistic, endpoint, unit, printed)
    found = readout_of(record)
    assert record.kind == kind and found is not None
    assert (found.form, found.scale) == (form, scale)
    assert published_value(record, found, None) == pytest.approx(number)


@pytest.mark.parametrize(("statistic", "endpoint", "unit", "printed", "kind"), REFUSED)
def test_a_number_that_cannot_be_told_is_refused_with_its_place(
    tmp_path: Path, statistic: str, endpoint: str, unit: str, printed: str, kind: str
) -> None:
    with pytest.raises(EvidenceError) as caught:
        read(tmp_path / "mine.csv", statistic, endpoint, unit, printed)
    (problem,) = caught.value.problems
    assert problem.kind == kind and problem.location.line == 2 and problem.location.column > 1


def test_reductions_are_ratios_whatever_their_unit(tmp_path: Path) -> None:
    for unit, printed in (("%", "25"), ("fraction", "0.25")):
        assert read(tmp_path / "mine.csv", "risk reduction", "ESKD", unit, printed).value == pytest.approx(0.75)
    assert read(tmp_path / "mine.csv", "hazard ratio", "ESKD", "", "0.75").value == 0.75
    assert read(tmp_path / "mine.csv", "risk ratio", "ESKD", "%", "75").value == 0.75


def test_a_spread_is_turned_with_its_number(tmp_path: Path) -> None:
    record = read(tmp_path / "mine.csv", "ratio to baseline", "UACR", "%", "56", "3,SE")
    assert record.value == 0.56 and record.dispersion is not None and record.dispersion.low == pytest.approx(0.03)
    readout = readout_of(record)
    assert readout is not None and reported_error(record, readout.scale == "log").size == pytest.approx(0.03 / 0.56)


@pytest.mark.parametrize(
    ("dispersion", "value", "statistic", "error"),
    [
        # A median of n normal people: SD = IQR / 1.349, and the error of a median is 1.2533 times that of a mean.
        (Dispersion("IQR", 6.0, 8.0), 7.0, "median", 2.0 / 1.3489795 * 1.2533141 / math.sqrt(100)),
        (Dispersion("SD", 1.0, 1.0), 7.0, "mean", 0.1),
        (Dispersion("SE", 0.2, 0.2), 7.0, "mean", 0.2),
        (Dispersion("CI95", 6.0, 8.0), 7.0, "mean", 2.0 / (2 * 1.959963984540054)),
    ],
)
def test_the_error_that_a_printed_spread_implies(
    tmp_path: Path, dispersion: Dispersion, value: float, statistic: str, error: float
) -> None:
    ends = f"{dispersion.low};{dispersion.high}" if dispersion.type in ("IQR", "CI95") else f"{dispersion.low}"
    record = read(tmp_path / "mine.csv", statistic, "HbA1c", "%", f"{value}", f"{ends},{dispersion.type}")
    readout = readout_of(record)
    assert readout is not None and reported_error(record, readout.scale == "log").size == pytest.approx(error, rel=1e-6)


@pytest.mark.parametrize(
    ("printed", "reason"), [("-99", ""), ("-100", "nought has no logarithm"), ("-120", "nought has no logarithm")]
)
def test_a_fall_by_everything_is_no_ratio(tmp_path: Path, printed: str, reason: str) -> None:
    from dataclasses import replace

    from betapod.validation.predictions import studies

    record = read(tmp_path / "mine.csv", "diff_vs_control", "UACR", "%", printed, "1,SE")
    mine = replace(record, study="CREDENCE_Oshima2020", arm="canagliflozin vs placebo", value=float(printed))
    found = studies.reason(mine)
    assert found == reason

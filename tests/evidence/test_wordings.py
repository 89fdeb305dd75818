"""Plain words of a user's own table are understood or asked back, never guessed; the package's own words are the yardstick."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from betapod.base.errors import EvidenceError
from betapod.evidence.records import registry, vocabulary
from betapod.evidence.records.overlay import told
from betapod.evidence.records.study import DESIGNS, POPULATIONS
from betapod.evidence.records.wordings import _rules, wording_of

HEAD = "study_id,citation,population,design,arm,product,n,endpoint,timepoint_weeks,statistic,value,dispersion,dispersion_type,unit,quote,tag"


@pytest.mark.parametrize(
    ("column", "text", "means"),
    [
        ("population", "T2D CKD 3-4", "DKD"),
        ("population", "type 2 diabetes with chronic kidney disease, stage 3–4", "DKD"),
        ("population", "adults with type 2 diabetes and normoalbuminuria", "T2D"),
        ("population", "type 1 and type 2 diabetes", "T1D+T2D"),
        ("population", "chronic kidney disease without diabetes", "CKD"),
        ("population", "healthy volunteers", "general"),
        ("design", "Randomized, double-blind, placebo-controlled trial", "RCT"),
        ("design", "non-randomised controlled pilot", "nonrandomised-controlled"),
        ("design", "single-arm open-label phase 1", "single-arm"),
        ("design", "systematic review and meta-analysis", "meta-analysis"),
        ("statistic", "LS mean ratio to baseline", "ratio to baseline"),
        ("statistic", "Geometric LS mean ratio to baseline vs placebo", "geometric_ratio"),
        ("statistic", "LS mean difference vs placebo", "diff_vs_control"),
        ("statistic", "Adjusted mean change from baseline", "change_mean"),
        ("statistic", "percent change from baseline", "change_percent"),
        ("statistic", "HR", "hazard ratio"),
        ("statistic", "treatment difference (95% CI)", "diff_vs_control"),
        ("statistic", "GMR vs baseline", "ratio to baseline"),
        ("statistic", "incidence rate ratio", ""),
        ("design", "open-label", ""),
        ("population", "patients with type 2 diabetes without kidney disease", "T2D"),
        ("statistic", "Proportion of participants", "proportion"),
        ("endpoint", "urine albumin-to-creatinine ratio", "UACR"),
        ("endpoint", "glycated haemoglobin", "HbA1c"),
        ("endpoint", "annual eGFR decline", "eGFR_slope"),
        ("endpoint", "HbA1c < 7 %", ""),
        ("endpoint", "doubling of serum creatinine", ""),
        ("product", "human umbilical cord mesenchymal stem cells", "UC-MSC"),
        ("product", "Dapagliflozin 10 mg once daily", "SGLT2 inhibitor"),
        ("product", "semaglutide 1 mg", "GLP-1 receptor agonist"),
        ("product", "placebo", "control"),
        ("dispersion_type", "95 % confidence interval", "CI95"),
        ("dispersion_type", "90% CI", ""),
        ("dispersion_type", "standard error", "SE"),
    ],
)  # fmt: skip
def test_plain_words_are_understood(column: str, text: str, means: str) -> None:
    assert wording_of(column, text).means == means


@pytest.mark.parametrize(
    ("text", "first", "rest"),
    [
        ("LS mean ratioo to baseline", "ratio to baseline", "mean"),
        ("LS mean ratioo", "ratio to baseline", "mean"),
        ("LS mean ratio", "ratio to baseline", "odds ratio"),
        ("LS mean diference vs placebo", "diff_vs_control", "mean"),
        ("proportions of patients", "proportion", "proportion"),
    ],
)
def test_a_slip_in_a_word_that_decides_is_asked_back_with_the_nearest_class(text: str, first: str, rest: str) -> None:
    wording = wording_of("statistic", text)
    assert not wording.means and (wording.choices[0], wording.choices[-1]) == (first, rest)


def test_words_that_begin_as_the_rules_have_them_are_no_slips() -> None:
    assert wording_of("statistic", "mean changed from baseline").means == "change_mean"
    assert wording_of("population", "T1D native kidneys vs transplanted single kidney").means == "T1D"


@pytest.mark.parametrize("ends", ["(0.9, 0.7)", "0.9 to 0.7", "0.9;0.7"])
def test_an_interval_written_backwards_is_no_interval(tmp_path: Path, ends: str) -> None:
    row = f'N,x,T2D,RCT,a,UC-MSC,9,UACR,52,geometric_ratio,0.8,"{ends}",CI95,1,q,seen'
    with pytest.raises(EvidenceError) as caught:
        registry.check_table(write(tmp_path, row))
    assert "reversed-interval" in caught.value.kinds and ":2:" in str(caught.value)


def test_every_class_of_the_rules_is_one_of_the_vocabulary() -> None:
    words: Mapping[str, object] = {
        "population": POPULATIONS,
        "design": DESIGNS,
        "statistic": vocabulary.statistics(),
        "endpoint": vocabulary.endpoints(),
        "product": vocabulary.treatment_classes(),
        "dispersion_type": ("CI95", "SE", "SD", "IQR"),
    }
    for column, rules in _rules().items():
        for rule in rules:
            for name in rule.means.removeprefix("? ").split(" or "):
                assert name in words[column], (column, name)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("column", "table", "right", "wrong"),
    [("population", "populations", 174, 2), ("design", "designs", 149, 0), ("product", "products", 77, 0)],
)
def test_the_packages_own_words_are_read_as_they_are_classed_or_asked(
    column: str, table: str, right: int, wrong: int
) -> None:
    read = [(wording_of(column, text), name) for text, name in vocabulary._plain(table, column).items()]
    assert sum(wording.means == name for wording, name in read) >= right
    assert sum(wording.means not in ("", name) for wording, name in read) <= wrong
    assert sum(bool(wording.choices) and name not in wording.choices for wording, name in read) <= 2


def write(folder: Path, *rows: str) -> Path:
    path = folder / "mine.csv"
    path.write_text("\n".join([HEAD, *rows]) + "\n", encoding="utf-8")
    return path


def test_a_plain_row_is_read_and_what_was_understood_is_said(tmp_path: Path) -> None:
    row = (
        "NEW2026,A trial,T2D CKD 3-4,randomised placebo-controlled trial,cells vs placebo,umbilical cord MSC,200,"
        'albumin-to-creatinine ratio,52,LS mean ratio to baseline vs placebo,0.8,"(0.7, 0.9)",95 % CI,ratio,q,seen'
    )
    path = write(tmp_path, row)
    (record,) = registry.load_registry([path]).select(study="NEW2026")
    assert (record.population, record.design, record.product, record.endpoint) == ("DKD", "RCT", "UC-MSC", "UACR")
    assert (record.kind, record.contrast, record.value, record.endpoint_text) == (
        "geometric_ratio",
        "between",
        0.8,
        "UACR",
    )
    assert record.dispersion is not None and (record.dispersion.low, record.dispersion.high) == (0.7, 0.9)
    said = told(registry.load_registry([path]), [path])
    assert f"{path}: population 'T2D CKD 3-4' read as DKD (NEW2026#1)" in said and len(said) == 7


def test_what_may_mean_several_things_is_asked_back(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "N,x,people with diabetes,double-blind,a,mesenchymal cells,9,eGFR,52,ratio versus placebo,1,,,ratio,q,seen",
    )
    with pytest.raises(EvidenceError) as caught:
        registry.check_table(path)
    assert set(caught.value.kinds) == {f"unclear-{name}" for name in ("population", "design", "product", "statistic")}
    text = str(caught.value)
    assert "such as 'T1D; people with diabetes'" in text and ":2:5: unclear-population" in text


def test_the_packages_own_tables_are_never_read_by_rules() -> None:
    assert not [
        r.id for r in registry.load_registry() for remark in r.remarks if " read as " in remark and "'" in remark
    ]

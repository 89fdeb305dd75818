"""The registry: every row loads, units and signs are right against hand-made conversions, families hold, bad rows are located."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betapod.base.errors import EvidenceError
from betapod.evidence.records import overlay, registry, vocabulary
from betapod.evidence.records.evidence_units import Conversion
from betapod.evidence.records.study import CONTRASTS, DESIGNS, KINDS, POPULATIONS, SOURCE_LEVELS

SHARED = Path(__file__).parents[3] / "shared" / "evidence"

ROW = {
    "study_id": "NEW2026",
    "citation": "A trial of 2026",
    "population": "T2D; adults",
    "design": "RCT; double-blind",
    "arm": "UC-MSC",
    "product": "UC-MSC",
    "n": "60",
    "endpoint": "HbA1c",
    "timepoint_weeks": "52",
    "statistic": "diff_vs_control",
    "value": "-0.5",
    "dispersion": "0.15",
    "dispersion_type": "SE",
    "unit": "%",
    "quote": "difference -0.5 % (SE 0.15)",
    "tag": "seen",
}


def write(path: Path, *rows: dict[str, str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(ROW), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def known() -> registry.Registry:
    return registry.load_registry()


def test_every_row_loads(known: registry.Registry) -> None:
    rows = 0
    for name in registry.TABLES:
        with (registry.FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            rows += len(list(csv.DictReader(file)))
    assert rows == len(known) + len(known.listed) == 1246
    assert known.listed == ()
    assert len({record.id for record in known}) == len(known)
    assert sum(record.tag == "memory" for record in known) == 58


@pytest.mark.skipif(not SHARED.is_dir(), reason="the source tables are not beside the repository")
@pytest.mark.parametrize("name", [name for name in registry.TABLES if (SHARED / f"{name}.csv").is_file()])
def test_the_numbers_are_those_of_the_source_tables(name: str) -> None:
    columns = ("study_id", "arm", "endpoint", "timepoint_weeks", "statistic", "value", "dispersion", "unit", "n", "tag")

    def numbers(path: Path) -> list[tuple[str, ...]]:
        with path.open(encoding="utf-8", newline="") as file:
            return [tuple(row[column] for column in columns) for row in csv.DictReader(file)]

    assert numbers(registry.FOLDER / f"{name}.csv") == numbers(SHARED / f"{name}.csv")


def test_classes_are_known(known: registry.Registry) -> None:
    for record in known:
        assert record.kind in KINDS and record.contrast in CONTRASTS
        assert record.design in DESIGNS and record.population in POPULATIONS
        assert record.source_level in SOURCE_LEVELS and record.tag in ("seen", "memory")
        assert record.product in vocabulary.treatment_classes()
        assert record.location.line > 1
        assert record.value is not None or record.direction
        if record.kind == "proportion":
            assert record.value is not None and 0 <= record.value <= 1
    assert {entry.kind for entry in vocabulary.statistics().values()} <= set(KINDS)


@pytest.mark.parametrize(
    ("name", "value", "unit", "kind", "contrast"),
    [
        # printed 4.4 mL/min/1.73m2 against placebo
        ("PACKHAM2016#1", 4.4, "mL/min/1.73m2", "difference", "between"),
        # -0.35 mL/min/1.73m2 per month is -4.2 per year
        ("FUNG2007_ISLET_GFR#1", -4.2, "mL/min/1.73m2/year", "slope", "level"),
        # a fall of 31 % (36 to 27) of the geometric mean is a ratio of 0.69 (0.64 to 0.73)
        ("CREDENCE_Oshima2020#1", 0.69, "1", "geometric_ratio", "between"),
        # a risk reduction of 25 % (7 to 40) is a risk ratio of 0.75 (0.60 to 0.93)
        ("UKPDS33#3", 0.75, "1", "risk_ratio", "between"),
        # 2.0 % per year
        ("UKPDS64#1", 0.02, "1/year", "rate", "level"),
    ],
)
def test_units_and_signs(
    known: registry.Registry, name: str, value: float, unit: str, kind: str, contrast: str
) -> None:
    record = known[name]
    assert (record.unit, record.kind, record.contrast) == (unit, kind, contrast)
    assert record.value == pytest.approx(value)


def test_intervals_turn_with_their_value(known: registry.Registry) -> None:
    spread = known["UKPDS33#3"].dispersion
    assert spread is not None and (spread.low, spread.high) == pytest.approx((0.60, 0.93))
    spread = known["CREDENCE_Oshima2020#1"].dispersion
    assert spread is not None and (spread.low, spread.high) == pytest.approx((0.64, 0.73))
    for record in known:
        if record.dispersion is not None and record.dispersion.type == "CI95" and record.value is not None:
            assert record.dispersion.low <= record.value <= record.dispersion.high


@pytest.mark.parametrize(
    ("endpoint", "printed", "target", "value", "expected"),
    [
        ("UACR", "mg/mmol", "mg/g", 30.0, 265.2),  # creatinine 113.12 g/mol
        ("FPG", "mg/dL", "mmol/L", 126.0, 6.994),  # glucose 180.156 g/mol
        ("serum_creatinine", "mg/dL", "umol/L", 1.0, 88.40),
        ("fasting_C_peptide", "ng/mL", "nmol/L", 1.0, 0.3311),
        ("stimulated_C_peptide", "pmol/L", "nmol/L", 424.0, 0.424),
        ("UAER", "ug/min", "mg/day", 20.0, 28.8),
        ("HbA1c", "mmol/mol", "%", 48.0, 6.543),  # NGSP: 48 mmol/mol is 6.5 %
        ("C_peptide_slope", "pmol/mL/month", "nmol/L/year", -0.0245, -0.294),
    ],
)
def test_conversions(endpoint: str, printed: str, target: str, value: float, expected: float) -> None:
    assert Conversion(endpoint, printed, target, level=True)(value) == pytest.approx(expected, rel=2e-4)


def test_a_difference_of_hba1c_knows_no_offset() -> None:
    assert Conversion("HbA1c", "mmol/mol", "%", level=False)(-11.0) == pytest.approx(-1.006, abs=1e-3)


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_conversions_keep_order(a: float, b: float) -> None:
    conversion = Conversion("UACR", "mg/mmol", "mg/g", level=True)
    assert (conversion(a) <= conversion(b)) == (a <= b) or math.isclose(a, b, rel_tol=1e-12)


def test_families_hold_overlapping_reports(known: registry.Registry) -> None:
    families = known.families()
    for members in (
        {"BHANSALI2009", "BHANSALI2014_15M"},
        {"ARAUJO_DANTAS_ASC", "ARAUJO2020"},
        {"SNARSKI2011_AHSCT", "SNARSKI2016_AHSCT", "DADDIO2014_AHSCT"},
        {"CIT06_MARKMANN2021", "CIT07_HERING2016", "CIT08_RICKELS2022"},
        {"FIORETTO1998", "FIORETTO1998_PTX"},
        {"KFRE4", "KFRE_pkg"},
        {"COCHRANE_LPD2007", "HANSEN2002"},
    ):
        assert any(members <= set(names) for names in families.values()), members
    assert "BHANSALI2009" not in families["BHANSALI_RCT"]


def test_a_split_never_divides_a_family(known: registry.Registry) -> None:
    fitting, testing = known.split(0.3, seed=7)
    assert not {record.family for record in fitting} & {record.family for record in testing}
    assert len(fitting) + len(testing) == len(known.select())
    share = len({record.family for record in testing}) / len({record.family for record in known.select()})
    assert 0.2 < share < 0.4
    assert known.split(0.3, seed=8) != (fitting, testing)
    assert known.split(0.0)[1] == [] and known.split(1.0)[0] == []
    with pytest.raises(EvidenceError):
        known.split(1.5)


def test_select(known: registry.Registry) -> None:
    chosen = known.select(population="DKD", product="BM-MSC", endpoint="eGFR")
    assert {record.study for record in chosen} == {"PACKHAM2016"}
    assert all(record.tag == "seen" for record in known.select())
    assert len(known.select(tag=None)) == len(known)
    assert known.select(endpoint="composite_kidney_HR")[0].endpoint == "composite_kidney"
    with_controls = known.select(product="UC-MSC", population="T2D", endpoint="HbA1c", controls=True)
    assert "placebo" in {record.arm for record in with_controls}
    with pytest.raises(EvidenceError) as raised:
        known.select(study="PACKHAM2106", endpoint="HbA1")
    assert raised.value.kinds == ("unknown-study", "unknown-endpoint")
    assert "PACKHAM2016" in str(raised.value) and "HbA1c" in str(raised.value)
    with pytest.raises(EvidenceError, match="PACKHAM2016#1"):
        known["PACKHAM2016#100"]


def test_table(known: registry.Registry) -> None:
    table = known.table
    assert len(table) == len(known)
    assert {"study", "family", "value", "low", "high", "unit", "remarks"} <= set(table.columns)
    assert table["value"].notna().sum() == sum(record.value is not None for record in known)


def test_overlay_adds_and_replaces(known: registry.Registry, tmp_path: Path) -> None:
    first = known["PACKHAM2016#1"]
    changed = ROW | {
        "study_id": "PACKHAM2016",
        "population": "DKD; T2D, eGFR 20-50",
        "arm": first.arm,
        "product": "BM-MSC",
        "endpoint": "eGFR",
        "timepoint_weeks": "12",
        "value": "4.0",
        "dispersion": "2.0",
        "unit": "mL/min/1.73m2",
    }
    both = registry.load_registry([write(tmp_path / "mine.csv", ROW, changed)])
    assert len(both) == len(known) + 1
    assert both.replaced == ("PACKHAM2016#1",) and both["PACKHAM2016#1"].value == 4.0
    new = both["NEW2026#1"]
    assert new.family == "NEW2026" and new.location.line == 2 and new.location.file.endswith("mine.csv")


BAD = [
    ({"value": "minus half"}, "bad-number"),
    ({"value": ""}, "missing-value"),
    ({"value": "nan"}, "bad-number"),
    ({"unit": "mg/furlong"}, "unknown-unit"),
    ({"unit": "mmHg"}, "wrong-unit"),
    ({"statistic": "diff_vs_contrl"}, "unknown-statistic"),
    ({"tag": "maybe"}, "unknown-tag"),
    ({"population": "the ill"}, "unknown-population"),
    ({"design": "RTC; open"}, "unknown-design"),
    ({"dispersion_type": ""}, "half-dispersion"),
    ({"dispersion_type": "sigma"}, "unknown-dispersion"),
    ({"dispersion": "-0.9;-0.6", "dispersion_type": "CI95"}, "value-outside"),
    ({"dispersion": "0.1;0.2;0.3", "dispersion_type": "CI95"}, "bad-number"),
    ({"dispersion": "-1"}, "bad-number"),
    ({"n": "12.5"}, "bad-number"),
    ({"timepoint_weeks": "-4"}, "bad-number"),
    ({"quote": ""}, "missing-value"),
    ({"study_id": ""}, "missing-value"),
    ({"statistic": "proportion", "value": "20", "unit": "fraction", "dispersion": "", "dispersion_type": ""}, "implausible-value"),
    ({"statistic": "hazard ratio", "value": "-0.5", "unit": "ratio", "dispersion": "", "dispersion_type": ""}, "implausible-value"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "kind"), BAD, ids=lambda value: str(value)[:40])
def test_a_bad_row_is_located(tmp_path: Path, change: dict[str, str], kind: str) -> None:
    path = write(tmp_path / "mine.csv", ROW, ROW | {"arm": "second"} | change)
    with pytest.raises(EvidenceError) as raised:
        registry.load_registry([path])
    assert raised.value.kinds == (kind,)
    assert raised.value.problems[0].location.file == str(path) and raised.value.problems[0].location.line == 3


def test_all_problems_at_once(tmp_path: Path) -> None:
    rows = [ROW | {"arm": str(number)} | change for number, (change, _) in enumerate(BAD)]
    with pytest.raises(EvidenceError) as raised:
        registry.load_registry([write(tmp_path / "mine.csv", *rows), tmp_path / "none.csv"])
    assert list(raised.value.kinds) == [*(kind for _, kind in BAD), "unreadable-file"]
    assert [problem.location.line for problem in raised.value.problems[:-1]] == list(range(2, len(BAD) + 2))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (b"", "empty-table"),
        (b"study_id,citaton\nA,B\n", "unknown-column"),
        (b"\xff\xfe\x00", "unreadable-file"),
        ((",".join(ROW) + "\n").encode(), "empty-table"),
        ((",".join(ROW) + "\nA,B\n").encode(), "wrong-length"),
        ((",".join(ROW) + ",tag\n").encode(), "duplicate-column"),
    ],
)
def test_a_bad_file_is_refused(tmp_path: Path, text: bytes, kind: str) -> None:
    path = tmp_path / "mine.csv"
    path.write_bytes(text)
    with pytest.raises(EvidenceError) as raised:
        registry.check_table(path)
    assert kind in raised.value.kinds


def test_duplicates_are_told(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="line 2"):
        registry.check_table(write(tmp_path / "mine.csv", ROW, ROW))


def test_new_names_are_remarked_not_refused(tmp_path: Path) -> None:
    found = registry.check_table(write(tmp_path / "mine.csv", ROW | {"endpoint": "HbA1", "product": "secret cells"}))
    assert any("HbA1c" in remark for remark in found[0].remarks)
    assert found[0].product == "secret cells"


def test_animals_are_recognised(tmp_path: Path) -> None:
    found = registry.check_table(write(tmp_path / "mine.csv", ROW | {"population": "T2D; db/db mice"}))
    assert found[0].species == "animal"


def test_append_writes_all_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    assert overlay.append(path, [ROW]) == 1
    assert overlay.append(path, [ROW | {"arm": "second"}], [write(tmp_path / "more.csv", ROW | {"arm": "third"})]) == 2
    before = path.read_text(encoding="utf-8")
    assert [record.arm for record in registry.check_table(path)] == ["UC-MSC", "second", "third"]
    with pytest.raises(EvidenceError) as raised:
        overlay.append(path, [ROW | {"arm": "fourth", "value": "x"}, ROW | {"arm": "fifth", "unit": "mmHg"}])
    assert raised.value.kinds == ("bad-number", "wrong-unit")
    assert all(problem.location.file == str(path) for problem in raised.value.problems)
    assert path.read_text(encoding="utf-8") == before
    with pytest.raises(EvidenceError, match="citation"):
        overlay.append(path, [ROW | {"citaton": "x"}])
    with pytest.raises(EvidenceError, match="no rows"):
        overlay.append(path, [])

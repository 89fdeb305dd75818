"""Tables of labs and outcomes of many people: what is read, and everything that is wrong at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from betapod.base.errors import ConfigError
from betapod.twins.lab_cohort import CENSORED, DIED_BEFORE, HAPPENED, read_lab_cohort


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "cohort.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_of_another_country_is_read(tmp_path: Path) -> None:
    text = "id;age;sex;creatinine [umol/L];UACR [mg/mmol];HbA1c [mmol/mol];drugs;smoker;follow-up [month];event\n"
    text += "a;61;w;97,2;43;68;ramipril+insulin;1;24;0\nb;70;m;150;;;;no;60;died\nc;55;f;88,4;3,5;53;;;12;1\n"
    cohort = read_lab_cohort(written(tmp_path, text))
    first, second, third = cohort.people
    assert cohort.names == ("a", "b", "c") and cohort.years.tolist() == pytest.approx([2.0, 5.0, 1.0])
    assert cohort.event.tolist() == [CENSORED, DIED_BEFORE, HAPPENED]
    assert first.female == 1 and first.drugs == ("ramipril", "insulin") and first.history == {"smoker": True}
    assert first.value("uacr") == pytest.approx(43 * 8.84, rel=1e-3)
    assert first.value("hba1c") == pytest.approx(68 * 0.09148 + 2.152, abs=0.01)
    # Creatinine of 1 mg/dL in a woman of 55.
    assert third.value("egfr") == pytest.approx(66.5, abs=1.0)
    assert second.history == {"smoker": False} and set(second.used) == {"creatinine", "egfr"}
    assert any("semicolons" in note for note in cohort.notes)


def test_everything_wrong_with_heads_is_said_once(tmp_path: Path) -> None:
    text = "age,egfr,zzz,uacr [mg/dL],follow-up\n" + "60,50,1,30,2\n" * 3
    with pytest.raises(ConfigError) as error:
        read_lab_cohort(written(tmp_path, text))
    kinds = sorted(problem.kind for problem in error.value.problems)
    assert kinds == ["missing-column", "missing-unit", "missing-unit", "unknown-quantity", "wrong-unit"]


def test_everything_wrong_with_rows_has_its_line(tmp_path: Path) -> None:
    text = "age,sex,egfr [mL/min/1.73m2],smoker,time [year],event\n"
    text += "60,f,50,0,2,1\n60,x,50,0,2,1\n60,f,5000,0,-2,1\n60,f,50,often,2,maybe\n,,,,3,0\n"
    with pytest.raises(ConfigError) as error:
        read_lab_cohort(written(tmp_path, text))
    found = [(problem.kind, problem.location.line) for problem in error.value.problems]
    assert found == [
        ("unknown-sex", 3), ("impossible-value", 4), ("bad-number", 4), ("bad-history", 5), ("bad-event", 5), ("no-labs", 6)
    ]  # fmt: skip

"""Doses, times, tolerances and numbers as strangers type them: the right number, or a clear refusal."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PK = """reads R [mg/day]
dA/dt = R - k*A [mg/day] amount
A(0) = A0 [mg] amount at the start
C = A/V [mg/L] concentration
"""
ROWS = """id,label,value,unit,low,high,distribution,role,source,locator,grade,note
R,infusion rate,0,mg/day,,,fixed,input,,,D,
k,elimination,0.5,1/day,,,fixed,assumed,,,D,
A0,start,0,mg,,,fixed,assumed,,,D,
V,volume,10,L,,,fixed,assumed,,,D,
"""
#: A model in a file that names no unit of time, and one in seconds.
PLAIN = """<?xml version="1.0" encoding="UTF-8"?><sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1">
<model id="m" {time}><listOfCompartments><compartment id="c" spatialDimensions="3" size="1" constant="true"/></listOfCompartments>
<listOfSpecies><species id="X" compartment="c" initialConcentration="1e-10" hasOnlySubstanceUnits="false"
 boundaryCondition="false" constant="false"/></listOfSpecies><listOfReactions><reaction id="g" reversible="false" fast="false">
<listOfReactants><speciesReference species="X" stoichiometry="1" constant="true"/></listOfReactants><kineticLaw>
<math xmlns="http://www.w3.org/1998/Math/MathML"><apply><times/><cn>0.1</cn><ci>X</ci></apply></math></kineticLaw></reaction>
</listOfReactions></model></sbml>"""

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in a folder with small models; return exit code, standard output and standard error."""
    from betapod.cli.main import main

    (tmp_path / "pk.txt").write_text(PK)
    (tmp_path / "pk.csv").write_text(ROWS)
    (tmp_path / "bare.xml").write_text(PLAIN.format(time=""))
    (tmp_path / "seconds.xml").write_text(PLAIN.format(time='timeUnits="second"'))
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["betapod", *arguments])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        found = capsys.readouterr()
        assert "Traceback" not in found.err
        return code, found.out, found.err

    return command


def _last(text: str) -> float:
    return float(text.splitlines()[-1].split(",")[1])


@pytest.mark.parametrize(
    ("dose", "time", "right"),
    [
        ("A=10@0:0.7:9", "2.1", sum(10 * math.exp(-0.5 * t) for t in (0.7, 1.4, 2.1))),
        ("A=10@0:0.3:9", "0.9", sum(10 * math.exp(-0.5 * t) for t in (0.3, 0.6, 0.9))),
        ("A=10@0:8 h:9", "40 h", sum(10 * math.exp(-0.5 * t / 3) for t in (1, 2, 3, 4, 5))),
        ("A=10@0:1 h:99", "7 h", sum(10 * math.exp(-0.5 * t / 24) for t in range(1, 8))),
        ("A=10@0/12 h", "1", 10 / 0.5 / 0.5 * -math.expm1(-0.25) * math.exp(-0.25)),
        ("A=10 mg@0/20 mg/day", "1", 10 / 0.5 / 0.5 * -math.expm1(-0.25) * math.exp(-0.25)),
        ("A=10@0:1:3:ss", "1", 10 * math.exp(-0.5) / -math.expm1(-0.5)),
        ("A=10@0:1:ss", "0", 10 * math.exp(-0.5) / -math.expm1(-0.5)),
        ("A=0.01 g@12 h", "1", 10 * math.exp(-0.25)),
        (" A = 10 mg @ 0 : 24 h : 3 : SS ", "1", 10 * math.exp(-0.5) / -math.expm1(-0.5)),
    ],
)
def test_a_dose_gives_the_closed_form(run: Run, dose: str, time: str, right: float) -> None:
    times = f"0, {time}" if time != "0" else "0"
    code, text, _ = run("simulate", "pk.txt", "--dose", dose, "--times", times, "--outputs", "A", "--rtol", "1e-9")
    assert code == 0
    assert _last(text) == pytest.approx(right, rel=1e-6)


@pytest.mark.parametrize(
    ("dose", "kind", "what"),
    [
        ("A=10@0:1:1.5", "bad-option", "MORE is the whole number"),
        ("A=10@0:1:-1", "bad-option", "MORE is the whole number"),
        ("A=10@0:1", "bad-option", "repeats no dose"),
        ("A=10@0:ss", "bad-option", "repeats no dose"),
        ("A=10@1:1:3:ss", "bad-dose", "at time 0"),
        ("A=10@0:0:3", "bad-dose", "interval above 0"),
        ("A=-10@0", "bad-dose", "amount=-10"),
        ("A=10@-1", "bad-dose", "time=-1"),
        ("A=nan@0", "bad-number", "nan"),
        ("A=inf@0", "bad-number", "inf"),
        ("A=10@0/-1", "bad-dose", "duration=-1"),
        ("A=10@0/3 kg", "wrong-unit", "kg"),
        ("A=10@0/0 mg/h", "bad-dose", "above 0"),
        ("A=10@0:1e-9:999999999", "too-many-doses", "at most 100000"),
        ("B=10@0", "unknown-state", "'B' is not a state"),
    ],
)
def test_an_impossible_dose_is_refused(run: Run, dose: str, kind: str, what: str) -> None:
    code, out, err = run("simulate", "pk.txt", "--dose", dose, "--days", "3")
    assert (code, out) == (2, "")
    assert kind in err
    assert what in err


@pytest.mark.parametrize(
    "options",
    [
        *(("simulate", "pk.txt", "--rtol", number) for number in ("nan", "0", "-1", "1", "inf", "1e400", "1e-300")),
        *(("simulate", "pk.txt", "--atol", number) for number in ("nan", "0", "-1", "-inf")),
        *(("simulate", "pk.txt", "--years", number) for number in ("nan", "0", "-1", "1e30", "1e-310", "inf")),
        *(("simulate", "pk.txt", "--days", number) for number in ("1e-300", "0", "nan")),
        *(("simulate", "pk.txt", "--duration", number) for number in ("1e-320", "0", "-1", "nan", "inf")),
        *(("simulate", "pk.txt", "--times", times) for times in ("", "1,1", "2,1", "-1,0", "nan", "0,1e-320")),
        ("simulate", "pk.txt", "--days", "10", "--step", "1e-9"),
        *(("ogtt", "--step", number) for number in ("0", "-1", "nan", "1e-9")),
        *(("ogtt", "--minutes", number) for number in ("nan", "inf", "1e300", "-5")),
        *(("clamp", "--rate", number) for number in ("nan", "-1")),
        *(
            ("ensemble", "run", "pk.txt", "-o", "f", "-n", count)
            for count in ("1e30", "0", "-3", "2.5", "nan", "9" * 400)
        ),
        ("ensemble", "run", "n" * 2000, "-o", "f", "-n", "2"),
        ("simulate", "n" * 2000),
        ("simulate", "n" * 2000 + ".xml"),
        ("ensemble", "run", "pk.txt", "-o", "f", "-n", "2", "--years", "1e30"),
        ("ensemble", "run", "pk.txt", "-o", "f", "-n", "2", "--visits", "1e-9 day"),
        ("ensemble", "run", "pk.txt", "-o", "f", "-n", "2", "--seed", "9" * 40),
        ("ensemble", "run", "pk.txt", "-o", "f", "-n", "2", "--rtol", "nan"),
        ("ensemble", "run", "pk.txt", "-o", "f", "-n", "2", "--atol", "-1"),
        ("ensemble", "run", "pk.txt", "-o", "f", "-n", "2", "--threads", "9" * 30),
        ("ensemble", "run", "pk.txt", "-o", "f", "-n", "2", "--fail-above", "nan"),
        ("ensemble", "run", "pk.txt", "-o", "f", "-n", "999999999", "--visits", "1 day", "--shard-size", "9999999"),
        ("run", "dn61", "-o", "f", "--replicates", "9" * 30),
        ("patients", "grow", "-o", "f", "--lives", "9" * 30),
    ],
    ids=lambda options: " ".join(options)[:60],
)
def test_an_impossible_number_is_refused_before_any_work(run: Run, options: tuple[str, ...], tmp_path: Path) -> None:
    code, out, err = run(*options)
    assert (code, out) == (2, "")
    assert err.strip()
    assert not (tmp_path / "f").exists()


def test_a_refused_number_is_a_document_too(run: Run) -> None:
    code, out, _ = run("simulate", "pk.txt", "--rtol", "nan", "--json")
    [problem] = json.loads(out)["error"]["problems"]
    assert (code, problem["kind"], problem["file"]) == (2, "bad-number", "--rtol nan")


def test_every_numeric_option_of_every_verb_is_checked() -> None:
    from betapod.cli import main as cli
    from betapod.cli.numbers import check_numbers, unchecked

    cli._register([])
    assert unchecked(check_numbers(cli.app)) == []


def test_a_model_without_a_unit_of_time_asks_for_a_duration(run: Run) -> None:
    for options in (("simulate", "bare.xml", "--days", "3"), ("simulate", "bare.xml", "--years", "3")):
        code, _, err = run(*options)
        assert code == 2
        assert "--duration" in err
    code, _, err = run("ensemble", "run", "bare.xml", "-n", "2", "-o", "f", "--years", "1")
    assert code == 2
    assert "--duration" in err
    code, text, _ = run("simulate", "bare.xml", "--duration", "10", "--outputs", "X")
    assert code == 0
    assert _last(text) == pytest.approx(1e-10 * math.exp(-1), rel=1e-5)


@pytest.mark.parametrize("visits", ["0 s,24 s", "0,24 s", "24 s", "0,0.4 min"])
def test_visits_of_a_model_in_seconds(run: Run, visits: str) -> None:
    options = ("-n", "2", "-o", "f", "--visits", visits, "--duration", "24 s", "--json", "--quiet")
    code, text, err = run("ensemble", "run", "seconds.xml", *options)
    assert code == 0, err
    [output] = json.loads(text)["outputs"].values()
    assert [row["time"] for row in output["visits"]] == [0.0, 24.0]
    assert output["visits"][1]["mean"] == pytest.approx(1e-10 * math.exp(-2.4), rel=1e-5)
    _, text, _ = run("ensemble", "summary", "f")
    assert "mean (SD), 0 s  mean (SD), 24 s" in text


def test_tables_too_large_are_refused_with_their_size() -> None:
    import numpy as np

    from betapod import Ensemble, simulate
    from betapod.base.errors import ConfigError
    from betapod.physiology import whole_body

    model = whole_body.named_model("kidney")
    with pytest.raises(ConfigError, match="too-large"):
        simulate(model, np.arange(1_000_000.0))
    with pytest.raises(ConfigError, match="too-large"):
        Ensemble(model, threads=1).run(10_000_000, np.arange(100.0))

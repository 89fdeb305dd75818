"""Protocols that were once called good and were not: each is refused, at its line and column, all of one file at once."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import small_trials as small
from typer.testing import CliRunner

from betapod import load_library
from betapod.base.errors import ConfigError
from betapod.cli import main as cli
from betapod.observables.ckd_epi import ckd_epi_2021, creatinine_of
from betapod.trials import run_folder
from betapod.trials.conduct import feasibility
from betapod.trials.protocol.protocol_files import parse_protocol

NUL = '"a\\0b"'
#: What is replaced in the small protocol, by what, and the kinds of problem that this makes.
WRONG = {
    # breaker 20
    "ages 200 to 300": ("  UACR: {min: 30 mg/g}\n", "  AGE: {min: 200 year, max: 300 year}\n", {"out-of-range"}),
    "UACR below nothing": ("UACR: {min: 30 mg/g}\n", "UACR: {min: -30 mg/g}\n", {"out-of-range"}),
    "begins last before first": (
        "conduct:\n",
        "conduct:\n  co_medication: [{therapy: ARB, share: 20 %, begins: [60 day, 0 day]}]\n",
        {"wrong-order"},
    ),
    "a visit in a thousand years": ("day: 365 day", "day: 365000 day", {"out-of-range"}),
    "a visit at the end of numbers": ("day: 365 day, window: 14 day", "day: 1e308 day", {"out-of-range"}),
    "an effect of -500 mmHg": (
        "measurements: {",
        "measurements: {SBP: {}, ",
        {"out-of-range"},
        ("  effects:\n", "  effects:\n    - {quantity: SBP, change: -500 mmHg}\n"),
    ),
    "an effect of -1e300 %": ("change: -0.3 %", "change: -1e300 %", {"out-of-range"}),
    "an effect without bound": ("factor: 0.9", "factor: 1e-300", {"out-of-range"}),
    "a spread of 1e300": ("spread: 0.1, time", "spread: 1e300, time", {"out-of-range"}),
    "replicates true": ("replicates: 60", "replicates: true", {"wrong-type"}),
    "a seed of true": ("seed: 5", "seed: true", {"wrong-type"}),
    "a ratio of true": ("cells: 1, control: 1", "cells: true, control: 1", {"wrong-type"}),
    "a scenario twice": ("[none, seed-claims]", "[none, seed-claims, none]", {"duplicate-name"}),
    "a visit with an empty name": ("name: month 12", 'name: ""', {"empty-name"}),
    "NUL in an arm": ("  control: {placebo", f"  {NUL}: {{placebo", {"bad-character"}),
    "half a surrogate pair in the title": ("title: A small trial", 'title: "\\ud800 small"', {"bad-character"}),
    # siblings
    "an escape in a summary": ("title: A small trial", 'title: t\nsummary: "\\e[31mred"', {"bad-character"}),
    "a bell in a label": ("control: {placebo: true}", 'control: {placebo: true, label: "a\\ab"}', {"bad-character"}),
    "a line end in a name": ("name: month 12", 'name: "month\\n12"', {"bad-text"}),
    "an endless name": ("name: month 12", "name: " + "m" * 300, {"long-name"}),
    "a stratum called all": ("  early: {where", "  all: {where", {"reserved-name"}),
    "a ratio of 1e400": ("cells: 1, control: 1", "cells: 1" + "0" * 400 + ", control: 1", {"out-of-range", "empty-arm"}),
    "a ratio that leaves an arm empty": ("cells: 1, control: 1", "cells: 1000, control: 1", {"empty-arm"}),
    "everybody leaves at once": ("drop_out: 20 %/year", "drop_out: 1e300 %/year", {"out-of-range"}),
    "a therapy that stops first": (
        "control: {placebo: true}",
        "control: {therapies: [{therapy: ARB, start: 20 day, stop: 10 day}]}",
        {"wrong-order"},
    ),
    "a quantity measured under two names": ("HbA1c: {}}", "HbA1c: {}, A1C: {}}", {"duplicate-name"}),
    "a criterion under two names": ("  UACR: {min: 30 mg/g}\n", "  UACR: {min: 30 mg/g}\n  ACR: {min: 40 mg/g}\n", {"duplicate-name"}),
    "a diagnosis of what nobody knows before": (
        "population: {size: 100}",
        "population: {size: 100, confirmed: {SBP: {min: 140 mmHg}}}",
        {"unknown-before"},
    ),
    "an endpoint at its own baseline": ("summary: ratio, at: month 6", "summary: ratio, at: enrolment", {"wrong-visit"}),
    "an endpoint before the trial": ("summary: ratio, at: month 6", "summary: ratio, at: screening", {"wrong-visit"}),
    "rescue at an HbA1c of 900 %": ("above: 9 %", "above: 900 %", {"out-of-range"}),
    "a responder by a million per cent": (
        "summary: ratio, at: month 6",
        "summary: responders, percent: 1000000, at: month 6",
        {"out-of-range"},
    ),
    "replicates in quotes": ("replicates: 60", 'replicates: "60000000"', {"wrong-type"}),
    "a ratio in quotes": ("cells: 1, control: 1", 'cells: "1000", control: 1', {"wrong-type"}),
    "a factor without end": ("factor: 0.9", "factor: .inf", {"wrong-type"}),
    "a factor in words": ("factor: 0.9", "factor: inf", {"out-of-range", "wrong-type"}),
    "a summary that is a list": ("summary: ratio, at", "summary: [ratio], at", {"unknown-choice"}),
    "a visit whose name is a list": ("name: month 12", "name: [month 12]", {"wrong-type"}),
    "an endpoint at keys and values": ("at: month 6", "at: {day: 6}", {"wrong-type", "unknown-visit"}),
    "1e300 cells per kg": ("UC-MSC 1e6/kg", "UC-MSC 1e300/kg", {"out-of-range"}),
    # breaker 11
    "replicates of 400 digits": ("replicates: 60", "replicates: " + "9" * 400, {"too-large"}),
    "ten million replicates": ("replicates: 60", "replicates: 10000000", {"too-large"}),
    "twenty million patients": ("patients: 40", "patients: 20000000", {"too-large"}),
    "a design of a thousand million": ("arms: {cells: 1, control: 1}", "arms: {cells: 1, control: 1}, patients: 1000000000", {"too-large"}),
    "a thousand million infusions": ("x3 q28d", "x1000000000 q1d", {"out-of-range"}),
}  # fmt: skip


def changed(*pairs: tuple[str, str]) -> str:
    text = small.TEXT
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


@pytest.mark.parametrize("name", WRONG)
def test_what_is_not_good_is_not_called_good(name: str) -> None:
    old, new, kinds, *more = WRONG[name]
    text = changed((old, new), *more)
    with pytest.raises(ConfigError) as caught:
        parse_protocol(text, "trial.yaml")
    assert set(caught.value.kinds) == kinds, str(caught.value)[:2000]
    for problem in caught.value.problems:
        assert problem.location.line > 0 and problem.location.column > 0
        assert problem.context == text.splitlines()[problem.location.line - 1]
        assert len(problem.message) < 300


def test_everything_wrong_is_said_at_once() -> None:
    pairs = [
        WRONG[name][:2]
        for name in ("UACR below nothing", "a seed of true", "a scenario twice", "an effect of -1e300 %")
    ]
    with pytest.raises(ConfigError) as caught:
        parse_protocol(changed(*pairs))
    assert sorted(caught.value.kinds) == ["duplicate-name", "out-of-range", "out-of-range", "wrong-type"]
    lines = [problem.location.line for problem in caught.value.problems]
    assert lines == sorted(lines)


def test_as_many_visits_as_days_need_too_much() -> None:
    visits = "".join(f"  - {{name: v{day}, day: {day} day}}\n" for day in range(1, 3000) if day not in (183, 365))
    with pytest.raises(ConfigError) as caught:
        parse_protocol(changed(("  - {name: month 6", visits + "  - {name: month 6"), ("size: 100", "size: 5000")))
    assert "too-large" in caught.value.kinds


def test_what_is_only_unusual_stays_good() -> None:
    parse_protocol(changed(("cells: 1, control: 1", "cells: 3, control: 1")))
    parse_protocol(changed(("title: A small trial", 'title: "Zellen für Ärzte, 糖尿病, 5 $ & <b>"')))
    parse_protocol(changed(("UACR: {min: 30 mg/g}\n", "UACR: {min: 0 mg/g, max: 5000 mg/g}\n")))
    parse_protocol(changed(("summary: ratio, at: month 6", "summary: ratio")))


# -- who is eligible, and how many stand behind the patients ---------------------------------------------------------

DRUG = """\
name: anna
title: SGLT2 inhibitor against placebo
population: {diabetes: type 2, size: 300}
eligibility:
  AGE: {min: 18 year, max: 90 year}
  eGFR: {min: 25 mL/min/1.73m2, max: 75 mL/min/1.73m2}
  UACR: {min: 200 mg/g, max: 5000 mg/g}
patients: 120
arms:
  placebo: {placebo: true}
  sglt2: {therapies: [SGLT2 inhibitor]}
designs:
  main: {arms: {sglt2: 1, placebo: 1}}
visits:
  - {name: screening, day: -14 day}
  - {name: enrolment, day: 0 day}
  - {name: month 6, day: 183 day, window: 10 day}
measurements: {UACR: {}, eGFR: {}}
endpoints:
  primary: {quantity: UACR, summary: ratio, at: month 6}
scenarios: [none]
seed: 3
replicates: 10
"""


@pytest.fixture
def invoke(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(text: str, *arguments: str):
        (tmp_path / "trial.yaml").write_text(text, encoding="utf-8")
        cli._register([arguments[0]])
        return CliRunner().invoke(cli.app, list(arguments))

    return run


def test_a_trial_for_nobody_is_refused_before_any_work(invoke, tmp_path) -> None:
    """F8a: eGFR 140 to 150 with much albuminuria: nobody has both."""
    text = DRUG.replace("25 mL/min/1.73m2, max: 75", "140 mL/min/1.73m2, max: 150")
    for arguments in (("trial", "check", "trial.yaml"), ("run", "trial.yaml", "-o", "x", "-r", "2")):
        done = invoke(text, *arguments)
        assert isinstance(done.exception, ConfigError) and done.exception.kinds == ("nobody-eligible",)
        (problem,) = done.exception.problems
        assert f"nobody of the {len(load_library())} people in the library" in problem.message
        assert "the nearest criterion is eGFR 140 to 150 mL/min/1.73m2" in problem.message
        assert "without it" in problem.found
        if arguments[0] == "trial":
            assert (problem.location.file, problem.location.line, problem.location.column) == ("trial.yaml", 6, 3)
        assert not (tmp_path / "x").exists()


def test_a_trial_for_nobody_at_all_says_so(invoke) -> None:
    """Two criteria that nobody meets, one of them alone: the rarer is named."""
    text = DRUG.replace("AGE: {min: 18 year, max: 90 year}", "AGE: {min: 19 year, max: 19.1 year}")
    done = invoke(text.replace("min: 25 mL", "min: 74.9 mL"), "trial", "check", "trial.yaml")
    assert isinstance(done.exception, ConfigError) and done.exception.kinds == ("nobody-eligible",)


def test_the_check_says_who_comes_and_what_it_costs(invoke) -> None:
    """F8b: 120 patients out of some thirty people are said to be so."""
    good = invoke(DRUG, "trial", "check", "trial.yaml")
    assert good.exit_code == 0, good.output
    words = " ".join(good.stdout.split())
    assert "anna: good; main: 120 patients; 1 scenario, 10 replicates" in words
    assert f"of the library's {len(load_library())} people may come to screening" in words and "of one core" in words
    narrow = DRUG.replace("25 mL/min/1.73m2, max: 75", "95 mL/min/1.73m2, max: 120").replace("200 mg/g", "1500 mg/g")
    done = json.loads(invoke(narrow, "trial", "check", "trial.yaml", "--json").stdout)["protocols"][0]
    people = done["feasibility"]["behind"]["main"]
    assert people["few"] and 20 < people["people"] < 45 and people["heaviest"] > 0.05
    assert done["cost"]["memory_bytes"] > 1e6
    told = " ".join(invoke(narrow, "trial", "check", "trial.yaml").stdout.split())
    assert "120 patients are drawn from" in told and "widen the eligibility" in told


def test_people_behind_patients_are_counted() -> None:
    people = feasibility.behind(np.array([[0, 1, 1, -1], [2, 2, 2, 2]]))
    assert people.patients == pytest.approx(3.5) and people.people == pytest.approx(1.5)
    assert people.heaviest == pytest.approx((2 / 3 + 1) / 2) and people.few
    assert not feasibility.behind(np.array([[0, 1], [2, 3]])).few
    assert not feasibility.behind(np.array([[-1, -1]])).few


def test_creatinine_is_the_inverse_of_the_filtration_estimate() -> None:
    egfr, age, female = np.array([10.0, 60.0, 100.0, 140.0]), np.full(4, 60.0), np.array([0.0, 1.0, 0.0, 1.0])
    assert ckd_epi_2021(creatinine_of(egfr, age, female), age, female) == pytest.approx(egfr, rel=1e-9)


COHORT = "name: mine\nbaseline:\n  age: {mean: 64, sd: 9, unit: year}\n"


def test_a_cohort_is_looked_for_beside_the_protocol(invoke, tmp_path) -> None:
    """Breaker 20: a misspelt cohort was found by the run alone, and looked for in the working folder."""
    text = DRUG.replace("size: 300", "size: 300, cohort: people.yaml")
    (tmp_path / "trials").mkdir()
    (tmp_path / "trials" / "people.yaml").write_text(COHORT)
    (tmp_path / "trials" / "one.yaml").write_text(text)
    done = invoke(text, "trial", "check", "trials/one.yaml")
    assert done.exit_code == 0, done.output
    wrong = invoke(text.replace("people.yaml", "peple.yaml"), "trial", "check", "trial.yaml")
    assert isinstance(wrong.exception, ConfigError) and wrong.exception.kinds == ("unknown-cohort",)
    assert wrong.exception.problems[0].location.line == 3
    (tmp_path / "people.yaml").write_text(COHORT)
    near = invoke(text.replace("people.yaml", "peple.yaml"), "run", "trial.yaml")
    assert "people.yaml" in near.exception.problems[0].hint
    flow = invoke(text.replace("people.yaml", "FLOWW"), "trial", "check", "trial.yaml")
    assert "'FLOW'" in flow.exception.problems[0].hint


def test_more_replicates_than_memory_holds_are_refused(invoke, tmp_path) -> None:
    """Breaker 11: many replicates by option."""
    done = invoke(DRUG, "run", "trial.yaml", "-r", "1000000")
    assert isinstance(done.exception, ConfigError) and done.exception.kinds == ("too-large",)
    assert "replicates of this trial fit" in done.exception.problems[0].hint
    assert not (tmp_path / "betapod-anna").exists()


# -- what run prints, and trials without data ------------------------------------------------------------------------


@pytest.fixture
def known_courses(monkeypatch):
    """Runs take known courses instead of simulating a pool."""
    monkeypatch.setattr(run_folder, "pool_of", lambda trial, *_, **__: small.pool(trial, people=300))


def test_run_answers_with_the_contrast(invoke, known_courses) -> None:
    """F12: a randomised trial told the change of each arm, and neither difference nor power."""
    done = invoke(DRUG, "run", "trial.yaml", "-q")
    assert done.exit_code == 0, done.output
    words = " ".join(done.stdout.split())
    assert (
        "sglt2 against placebo" in words
        and "95 % of trials" in words
        and "power" in words
        and "true difference" in words
    )
    assert "by cells" not in words and "by chance of baseline" not in words and "scenario" not in words
    document = json.loads(invoke(DRUG, "run", "trial.yaml", "-q", "--json").stdout)
    (row,) = document["comparisons"]
    assert (row["treated"], row["control"], row["true_effect_of"]) == ("sglt2", "placebo", "groups")
    assert row["low"] <= row["estimate"] <= row["high"] and row["true_effect"] == 0 and 0 <= row["benefit"] <= 1


BARE = {
    "every visit missed": ("replicates: 10", "replicates: 4\nconduct: {missed_visits: 100 %, deaths: false}"),
    "two patients": ("patients: 120", "patients: 2"),
    "everybody leaves": ("replicates: 10", "replicates: 4\nconduct: {drop_out: 1000 %/year}"),
    "one replicate": ("replicates: 10", "replicates: 1"),
    "a ratio of 30 to 1": ("{sglt2: 1, placebo: 1}", "{sglt2: 30, placebo: 1}"),
    "effects that differ by anything": (
        "replicates: 10",
        "replicates: 4\nconduct: {effects: [{quantity: eGFR, change: -1 mL/min/1.73m2, spread: 200}, "
        "{quantity: UACR, factor: 0.9, spread: 4}]}",
    ),
}


RATIO, SHARE = "summary: ratio, at: month 6", "summary: responders, percent: -30, at: month 6"


@pytest.mark.parametrize(
    ("name", "endpoint"), [*((name, RATIO) for name in BARE), ("every visit missed", SHARE), ("two patients", SHARE)]
)
def test_what_cannot_be_estimated_is_said_to_be_so(name: str, endpoint: str, invoke, known_courses, tmp_path) -> None:
    """Breaker 12, 25: empty arms and visits gave NaN in JSON, RuntimeWarnings and tracebacks; warnings are errors here."""
    text = DRUG.replace("summary: ratio, at: month 6", endpoint).replace(*BARE[name])
    done = invoke(text, "run", "trial.yaml", "-q", "-o", "r")
    assert done.exit_code == 0, (done.output, done.exception)
    json.loads((tmp_path / "r" / "summary.json").read_text(), parse_constant=lambda name: pytest.fail(name))
    report = invoke(text, "report", "r", "--quick", "--json")
    assert report.exit_code == 0, (report.output, report.exception)
    plain = json.loads(report.stdout, parse_constant=lambda name: pytest.fail(name))
    page = Path(plain["report"]).read_text(encoding="utf-8")
    visible = re.sub(r"<style.*?</style>|<svg.*?</svg>", "", page, flags=re.DOTALL)
    assert not re.search(r">[^<]*\b(?:nan|inf|None)\b[^<]*<", visible)
    if name == "every visit missed":
        assert "cannot be estimated" in visible


def test_places_that_stay_empty_are_told(invoke, known_courses) -> None:
    """A stratum that nobody fits left half of a trial empty, and nothing was said."""
    strata = "strata:\n  low: {patients: 60, where: {UACR: {max: 2000 mg/g}}}\n  high: {patients: 60, where: {UACR: {min: 4999 mg/g}}}\n"
    done = invoke(DRUG.replace("arms:\n", strata + "arms:\n", 1), "run", "trial.yaml", "-q")
    assert done.exit_code == 0, done.output
    assert "of 120 places are filled" in " ".join(done.stderr.split())


@pytest.mark.parametrize("name", [r"a\g<5>", r"a\1", "", "a b", "a/b", "../x", "x" * 300])
def test_a_new_trial_needs_a_name_that_files_can_have(name: str, invoke, tmp_path) -> None:
    r"""A name such as ``a\g<5>`` was taken for a pattern."""
    done = invoke(DRUG, "trial", "new", "--", name)
    assert isinstance(done.exception, ConfigError), done.output
    assert {path.name for path in tmp_path.iterdir()} == {"trial.yaml"}

"""The wizard of `trial new --ask`: answers from a file, all mistakes at once, and a person at a terminal."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from commands import Done, carry_out

from betapod.base.errors import ConfigError
from betapod.trials.protocol.protocol_files import find_protocol, parse_protocol
from betapod.trials.protocol.trial_questions import QUESTIONS, protocol_of_answers, read_answers


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def asked(answers: io.StringIO, *arguments: object) -> Done:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", answers)
        return carry_out("trial", "new", "mine", "--ask", *arguments)


def test_there_are_ten_and_empty_lines_make_a_good_protocol() -> None:
    assert len(QUESTIONS) == 10
    protocol = parse_protocol(protocol_of_answers("usual", read_answers([""] * 10)))
    assert protocol.name == "usual" and protocol.patients == 120 and protocol.conduct.drop_out == pytest.approx(0.1)
    assert protocol.endpoints.primary.summary == "ratio" and protocol.arms["treatment"].therapies
    assert [visit.name for visit in protocol.visits][2:] == ["month 1", "month 3", "month 6"]
    assert protocol.designs["randomised"].looks is None


def test_answers_of_a_file_become_the_protocol(tmp_path: Path) -> None:
    lines = [
        "# a trial of cells",
        "any",
        "UACR above 300 mg/g; eGFR 25 to 60 mL/min/1.73m2; AGE above 40 year",
        "UC-MSC 1e6/kg iv x3 q28d",
        "ACE inhibitor",
        "90, 2:1",
        "eGFR",
        "time to event -40 %",
        "3, 6, 12, 18",
        "5 % per year",
        "3 looks over 18 months, 30 events",
    ]
    done = asked(io.StringIO("\n".join(lines) + "\n"), "--out", tmp_path / "mine.yaml")
    assert done.returncode == 0 and "from your answers" in done.stderr, done.stderr
    protocol = find_protocol(tmp_path / "mine.yaml")
    design = protocol.designs["randomised"]
    assert design.arms == {"treatment": 2, "control": 1} and design.looks is not None
    assert (design.looks.information, design.looks.events) == (3, 30) and design.recruitment == pytest.approx(
        547.9, abs=0.1
    )
    assert protocol.arms["treatment"].cells and protocol.arms["control"].therapies[0].therapy == "ACE inhibitor"
    assert protocol.endpoints.primary.percent == -40 and len(protocol.scenarios) == 2
    assert protocol.eligibility["AGE"].bounds("AGE")[0] == 40


@pytest.mark.parametrize(
    ("quantity", "summary", "measured"),
    [("HbA1c", "change", True), ("death", "time to event", False), ("quality of life", "total", False)],
)
def test_the_usual_comparison_is_that_of_the_quantity(quantity: str, summary: str, measured: bool) -> None:
    protocol = parse_protocol(protocol_of_answers("x", read_answers(["", "", "", "", "", quantity, "", "", "", ""])))
    assert protocol.endpoints.primary.summary == summary
    assert ("HBA1C" in protocol.codes) and measured == (protocol.endpoints.primary.outcome is None)


def test_all_wrong_answers_are_said_at_once_and_nothing_is_written(tmp_path: Path) -> None:
    wrong = [
        "type 3",
        "UACR 200; Kalium above 4",
        "SGLT3 inhibitor",
        "placebo",
        "two",
        "UACRR",
        "mean",
        "6, 3",
        "200 %",
        "soon",
    ]
    with pytest.raises(ConfigError) as caught:
        read_answers(wrong)
    told = [problem.message.split(":")[0] for problem in caught.value.problems]
    assert list(dict.fromkeys(told)) == [
        "diabetes", "criteria", "treatment", "patients", "quantity", "summary", "visits", "leaving", "looks",
    ]  # fmt: skip
    assert [problem.location.line for problem in caught.value.problems if problem.message.startswith("visits")] == [8]
    done = asked(io.StringIO("\n".join(wrong)), "--out", tmp_path / "mine.yaml")
    assert done.returncode == 2 and "SGLT2 inhibitor" in done.stderr and not any(tmp_path.iterdir())


def test_answers_that_are_missing_are_named(tmp_path: Path) -> None:
    done = asked(io.StringIO("\n\n\n"), "--out", tmp_path / "mine.yaml")
    assert done.returncode == 2 and "patients; quantity" in done.stderr and not any(tmp_path.iterdir())
    both = asked(io.StringIO("\n" * 10), "--from", "dn61")
    assert both.returncode == 2 and "--ask" in both.stderr


def test_a_person_is_asked_again(tmp_path: Path) -> None:
    answers = ["type 7", "type 2", *[""] * 9]
    done = asked(_Terminal("\n".join(answers) + "\n"), "--out", tmp_path / "mine.yaml")
    assert done.returncode == 0 and done.stderr.count("1/10") == 2 and "10/10" in done.stderr
    assert find_protocol(tmp_path / "mine.yaml").patients == 120
    left = asked(_Terminal("type 2\n"), "--out", tmp_path / "other.yaml")
    assert left.returncode == 130 and not (tmp_path / "other.yaml").exists()

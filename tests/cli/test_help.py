"""The help: no option without text, examples that work, and a tree of verbs and options that changes by decision only."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from betapod.cli import main as cli
from betapod.cli.catalogue import MODULES, PANELS
from betapod.cli.examples import EXAMPLES

TREE = Path(__file__).with_name("help_tree.txt")
#: Examples that take long, or need what only a long run leaves: the command line reads them, and does not carry them out.
LONG = (
    "betapod demo",
    # It serves a page until it is ended; tests of the page write the file.
    "betapod explore",
    "betapod serve",
    "betapod patient validate",
    "betapod patients grow",
    "betapod patients show --library",
    "betapod claims simulate",
    "betapod claims page",
    "betapod run",
    "betapod resume",
    # They need what a run leaves.
    "betapod trial size",
    "betapod trial export",
    "betapod trial check-adam",
    # A minute; tests of archives carry out one arm.
    "betapod trial archive",
    "betapod report",
    "betapod validate",
    "betapod confront",
    "betapod doctor",
    "betapod ensemble resume many --processes",
    "betapod fit",
    # What was written by the example before is not there in every process; tests of comparisons carry both out.
    "betapod value lives.yaml --check",
    "betapod value lives.yaml --report",
    # Hundreds of thousands of lives; tests of deciding numbers carry a part out.
    "betapod sensitivity claims",
    "betapod sensitivity trial",
    "betapod sensitivity verdict",
    "betapod petab evaluate",
    "betapod petab fit",
    "betapod sedml show",
    "betapod sedml run",
)
#: A table of real patients, for each of two ways to write their sex.
PEOPLE = "age [year],sex,eGFR [mL/min/1.73 m2],UACR [mg/g],HbA1c [%]\n" + "".join(
    f"{45 + 7 * k % 30},{{{k % 2}}},{40 + 11 * k % 50},{30 + 37 * k % 900},{7 + 3 * k % 20 / 10}\n" for k in range(60)
)
STUDY = """study_id,citation,population,design,arm,product,n,endpoint,timepoint_weeks,statistic,value,dispersion,dispersion_type,unit,quote,tag
NEW2026,A trial of 2026,T2D; adults,RCT; double-blind,UC-MSC,UC-MSC,200,HbA1c,52,diff_vs_control,-0.5,0.15,SE,%,-0.5 % (SE 0.15),seen
"""


def tree() -> Iterator[tuple[str, Any]]:
    """Give every verb, group and subverb with its words."""
    cli._register([])

    def below(words: str, command: Any) -> Iterator[tuple[str, Any]]:
        for name, each in getattr(command, "commands", {}).items():
            path = f"{words} {name}".strip()
            yield path, each
            yield from below(path, each)

    return below("", get_command(cli.app))


def shape() -> str:
    """Return verbs and options as text."""
    lines = []
    for path, command in sorted(tree()):
        lines.append(path)
        for option in command.params:
            if option.name != "help":
                kind = " ".join(option.opts) if option.param_type_name == "option" else option.metavar or option.name
                lines.append(f"    {kind}")
    return "\n".join(lines) + "\n"


def test_every_option_has_text() -> None:
    bare = [
        f"{path} {option.name}"
        for path, command in tree()
        for option in command.params
        if not (getattr(option, "help", "") or "").strip()
    ]
    assert bare == []


def test_every_option_begins_with_a_capital_or_a_word_that_is_typed() -> None:
    """One voice: a sentence that ends with a full stop, or a list of words to type."""
    rough = [
        f"{path} {option.name}: {option.help}"
        for path, command in tree()
        for option in command.params
        if option.name != "help" and not option.help.rstrip().endswith((".", "]"))
    ]
    assert rough == []


def test_verbs_and_options_change_by_decision() -> None:
    """Write the new tree with: python tests/cli/test_help.py."""
    assert shape() == TREE.read_text(encoding="utf-8")


def test_each_verb_stands_under_one_heading() -> None:
    verbs = [verb for each in PANELS.values() for verb in each]
    assert len(verbs) == len(set(verbs)) == len(MODULES)
    assert {path for path, _ in tree() if " " not in path} == set(verbs)


def test_first_lines_fit_a_narrow_terminal() -> None:
    """80 columns less the frame, the name of the verb and gaps."""
    first = {path: (command.help or "").partition("\n\n")[0] for path, command in tree()}
    assert {path: text for path, text in first.items() if not text or len(text) > 66 or "\n" in text} == {}


def test_every_verb_has_examples_and_they_are_its_own() -> None:
    paths = {path for path, _ in tree()}
    assert set(EXAMPLES) == paths
    for path, examples in EXAMPLES.items():
        assert 2 <= len(examples) <= 4, path
        assert examples[0][1].startswith(f"betapod {path}"), path
        for what, command in examples:
            assert what and not what.endswith((".", ":")) and command.startswith("betapod "), path
            # A line of 80 columns less four blanks before it and one on either side of the text.
            assert len(command) <= 74, command


def test_examples_stand_in_the_help() -> None:
    for path, command in tree():
        for what, line in EXAMPLES[path]:
            assert f"{what}:\n    {line}".replace("[", "\\[") in command.help


QUESTIONS = "- id: B24\n  questions:\n    - {text: eGFR at 12 weeks, select: {study: PACKHAM2016, endpoint: mGFR}, requires: 11}\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of a user."""
    place = tmp_path_factory.mktemp("examples")
    (place / "people.csv").write_text(PEOPLE.format("female", "male"), encoding="utf-8")
    (place / "coded.csv").write_text(PEOPLE.format("0", "1"), encoding="utf-8")
    (place / "decay.txt").write_text("dS/dt = -k*S [mg/day] substance\nS(0) = S0 [mg] substance\n", encoding="utf-8")
    head = "id,label,value,unit,low,high,distribution,role,source,locator,grade,note\n"
    (place / "decay.csv").write_text(
        f"{head}k,elimination,0.5,1/day,,,fixed,assumed,,,D,\nS0,dose,10,mg,,,fixed,assumed,,,D,\n", encoding="utf-8"
    )
    (place / "studies.csv").write_text(STUDY, encoding="utf-8")
    (place / "questions.yaml").write_text(QUESTIONS, encoding="utf-8")
    return place


COMMANDS = list(dict.fromkeys(command for examples in EXAMPLES.values() for _, command in examples))


@pytest.mark.parametrize("command", COMMANDS)
def test_examples_work(
    command: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    words = shlex.split(command)
    if command.startswith(LONG):
        cli._register([])
        read(words[1:])
        return
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert not stopped.value.code, capsys.readouterr().err


def read(words: list[str]) -> None:
    """Let the command line read words, without carrying them out."""
    command: Any = get_command(cli.app)
    while hasattr(command, "commands") and words[0] in command.commands:
        command, words = command.commands[words[0]], words[1:]
    command.make_context("betapod", words)


def test_help_lists_exactly_what_is_allowed() -> None:
    """Who adds a person, a role or a method finds that the help has to say so."""
    from betapod.claims.claim_verdict import VERDICTS
    from betapod.cli import kept
    from betapod.cli.verbs.confront import COUNTED
    from betapod.engine.scipy.reference import METHODS as SOLVERS
    from betapod.evidence.synthesis.models import CHOICES, INTERVALS
    from betapod.model.parameters.parameter import GRADES, ROLES
    from betapod.model.printing.render import FORMATS
    from betapod.person import typical
    from betapod.person.coupled_person import person_names
    from betapod.therapies.scenarios import SCENARIOS
    from betapod.validation.scorecard.targets import ORGANS

    allowed = {
        "simulate person": person_names(),
        "simulate scenario": SCENARIOS,
        "simulate method": SOLVERS,
        "ogtt person": typical.typical_names(),
        "confront scenario": SCENARIOS,
        "confront by": COUNTED,
        "params list role": ROLES,
        "params list grade": GRADES,
        "claims status": VERDICTS,
        "evidence pool method": CHOICES,
        "evidence pool interval": INTERVALS,
        "evidence terms column": kept.COLUMNS,
        "model show form": [*FORMATS, "sbml"],
        "validate organ": ORGANS,
    }
    texts = {f"{path} {option.name}": option.help for path, command in tree() for option in command.params}
    for key, words in allowed.items():
        said = re.split(r"[^\w-]+", texts[key].replace("'", ""))
        missing = [word for word in words if not set(word.split()) <= set(said)]
        assert missing == [], key


if __name__ == "__main__":
    TREE.write_text(shape(), encoding="utf-8")

"""Templates of `trial new` are good protocols, small enough to read, and each has what its name says."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import carry_out

from betapod.trials.analysis.endpoints import comparisons
from betapod.trials.protocol.protocol_files import TEMPLATES, find_protocol, parse_protocol, protocol_template

NAMES = sorted(path.stem for path in TEMPLATES.glob("*.yaml"))


def test_there_is_one_for_each_kind() -> None:
    assert NAMES == ["add-on", "crossover", "dose-finding", "single-arm", "two-arm"]


@pytest.mark.parametrize("name", NAMES)
def test_a_template_is_a_small_good_protocol(name: str) -> None:
    text = protocol_template(name)
    protocol = parse_protocol(text)
    assert protocol.name == name and len(text.splitlines()) <= 32
    (design,) = protocol.designs
    expected = {"add-on": 1, "crossover": 1, "dose-finding": 2, "single-arm": 1, "two-arm": 1}[name]
    assert len(comparisons(protocol, design)) == expected
    assert (protocol.endpoints.multiplicity is not None) == (name == "dose-finding")
    assert (protocol.run_in is not None) == (name == "add-on")


def test_a_new_trial_begins_with_a_template(tmp_path: Path) -> None:
    done = carry_out("trial", "new", "mine", "--template", "dose-finding", "--out", tmp_path / "mine.yaml")
    assert done.returncode == 0 and "from the template dose-finding" in done.stderr
    assert find_protocol(tmp_path / "mine.yaml").name == "mine"
    wrong = carry_out("trial", "new", "mine", "--template", "twoarm", "--out", tmp_path / "other.yaml")
    assert wrong.returncode == 2 and "two-arm" in wrong.stderr
    both = carry_out("trial", "new", "mine", "--template", "add-on", "--from", "dn61", "--out", tmp_path / "other.yaml")
    assert both.returncode == 2 and not (tmp_path / "other.yaml").exists()


def test_a_name_that_is_one_of_a_file_gets_no_second_ending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert carry_out("trial", "new", "mine.yaml", "--template", "two-arm").returncode == 0
    assert find_protocol(tmp_path / "mine.yaml").name == "mine"
    assert carry_out("trial", "new", "mine.v2", "--template", "two-arm").returncode == 0
    assert find_protocol(tmp_path / "mine.v2.yaml").name == "mine.v2"

"""Sizes by simulation: those of theory, whatever the analysis and the allocation; a sequential test decides with how many trials."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_trials as small
from typer.testing import CliRunner

import betapod
from betapod import designs
from betapod.base.errors import ConfigError
from betapod.cli import main as cli
from betapod.trials.operating import size_search
from betapod.trials.operating.size_search import SizedTrial, needed_size
from betapod.trials.protocol.protocol_files import parse_protocol


def text(analysis: str = "t test", arms: str = "{cells: 1, control: 1}", more: str = "") -> str:
    """The small protocol, in which nothing happens but allocation and error of measurement."""
    got = small.TEXT.replace("{quantity: UACR, summary: ratio, at: month 6}", f"{{quantity: UACR, summary: ratio, at: month 6, analysis: {analysis}}}")  # fmt: skip
    got = got.replace("randomised: {arms: {cells: 1, control: 1}}", f"randomised: {{arms: {arms}{more}}}")
    begin, end = got.index("conduct:"), got.index("endpoints:")
    return got[:begin] + "conduct: {deaths: false}\n" + got[end:]


def sized(protocol_text: str, **keys: Any) -> SizedTrial:
    protocol = parse_protocol(protocol_text)
    return needed_size(protocol, pool=small.pool(protocol, people=500, effect=0.65), threads=1, **keys)


@pytest.mark.parametrize("arms", ["{cells: 1, control: 1}", "{cells: 2, control: 1}"])
def test_a_size_is_that_of_theory_and_its_power_that_wanted(arms: str) -> None:
    answer = sized(text(arms=arms), power=0.8, margin=0.04)
    assert answer.patients is not None and answer.power is not None
    # Two spot samples: the scatter of the difference of their logarithms, and ratios of 0.65.
    ratio = 2 if "2" in arms else 1
    assert answer.patients % (ratio + 1) == 0
    assert answer.arms == {"cells": answer.patients * ratio // (ratio + 1), "control": answer.patients // (ratio + 1)}
    sd = np.sqrt(2) * 0.483
    theory = designs.means_size(-np.log(0.65), sd, designs.group_sequential("OF", 1, power=0.8), ratio=ratio).total
    assert answer.patients == pytest.approx(theory, rel=0.3)
    assert 0.76 - 0.03 < answer.power.value < 0.84 + 0.07
    assert answer.power.replicates >= 100 and answer.tried[-1].verdict in ("just", "enough", "too few")


def test_other_analyses_and_looks_have_sizes_too() -> None:
    plain = sized(text(), power=0.8, margin=0.04).patients
    looked = sized(text(more=", recruitment: 12 month, looks: {boundaries: P}"), power=0.8, margin=0.04).patients
    wins = sized(text("win odds"), power=0.8, margin=0.04).patients
    adjusted = sized(text("ANCOVA"), power=0.8, margin=0.04).patients
    assert None not in (plain, looked, wins, adjusted)
    assert looked > 0.95 * plain and 0.8 * plain < wins < 1.4 * plain and adjusted < 1.1 * plain


def test_no_benefit_has_no_size() -> None:
    protocol = parse_protocol(text())
    answer = needed_size(protocol, 0.9, scenario="none", pool=small.pool(protocol, people=300, effect=1.5), threads=1)
    assert (answer.patients is None and not answer.arms) or answer.formula is not None


@pytest.mark.parametrize(
    ("more", "keys", "kind"),
    [
        ("", {"power": 1.2}, "out-of-range"),
        ("", {"power": 0.9, "margin": 0.2}, "out-of-range"),
        (", recruitment: 12 month, looks: {combine: inverse normal}", {}, "not-supported"),
        ("", {"design": "single arm"}, "no-control"),
        ("", {"design": "randomized"}, "unknown-design"),
    ],
)
def test_what_has_no_size_is_refused(more: str, keys: dict[str, Any], kind: str) -> None:
    with pytest.raises(ConfigError) as caught:
        sized(text(more=more), **keys)
    assert caught.value.kinds == (kind,)


def test_the_verb_prints_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(size_search, "pool_of", lambda trial, *_, **__: small.pool(trial, people=400, effect=0.6))
    cli._register(["trial"])
    path = tmp_path / "small.yaml"
    path.write_text(text())
    asked = ["trial", "size", str(path), "--power", "0.8", "--margin", "0.05", "--quiet"]
    document = json.loads(CliRunner().invoke(cli.app, [*asked, "--json"]).stdout)
    assert document["patients"] == sum(document["arms"].values()) and document["tried"][0]["trials"] >= 100
    # Python gives what the command prints.
    sized = betapod.size_trial(path, 0.8, margin=0.05, threads=1)
    assert (sized.patients, sized.arms) == (document["patients"], document["arms"])
    assert sized.table.to_dict("records") == document["tried"]
    assert len(sized.plot().axes[0].lines) > 0
    told = CliRunner().invoke(cli.app, asked)
    assert told.exit_code == 0 and f"{document['patients']} patients" in told.stdout

"""What thousands of damaged files have found: long units, foreign encodings, storms of events."""

from __future__ import annotations

from pathlib import Path

import pytest

from betapod import simulate
from betapod.base.errors import BetapodError, ExchangeError, SolverError, UnitError
from betapod.base.units import parse_unit
from betapod.engine.scipy import event_queue
from betapod.model import Parameter, ParameterTable, Part, assemble


@pytest.mark.parametrize("text", ["mg/" + "x," * 70_000, "-" * 5000, "(" * 5000, "9" * 5000, "mg*" * 2000 + "mg"])
def test_a_text_too_long_for_a_unit_is_refused_at_once(text: str) -> None:
    with pytest.raises(UnitError) as raised:
        parse_unit(text)
    assert raised.value.kinds == ("unknown-unit",) and len(str(raised.value)) < 300


@pytest.mark.parametrize("encoding", ["UTF1e", "shift-jis", "klingon"])
def test_sbml_in_an_encoding_that_is_not_read_is_refused(encoding: str, tmp_path: Path) -> None:
    pytest.importorskip("libsbml")
    from betapod.exchange import read_sbml

    path = tmp_path / "m.xml"
    head = f'<?xml version="1.0" encoding="{encoding}"?>\n'
    path.write_text(f'{head}<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2"/>')
    with pytest.raises(ExchangeError) as raised:
        read_sbml(path)
    assert raised.value.problems[0].location.file == str(path)


def test_a_storm_of_events_ends_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    part = Part.from_text(
        "saw", "dx/dt = r [1/day] saw\nx(0) = 0 [1] start\n", events='again when x > 1 then x = 0 "back"\n'
    )
    model = assemble("saw", [part], ParameterTable([Parameter("r", "rate", 1000.0, "1/day")]))
    assert len(simulate(model, [0.0, 0.02]).events) == 19
    monkeypatch.setattr(event_queue, "_MOST", 15)
    with pytest.raises(SolverError) as raised:
        simulate(model, [0.0, 0.02])
    assert raised.value.kinds == ("too-many-events",)


def test_a_table_of_evidence_with_thousands_of_columns_is_one_problem(tmp_path: Path) -> None:
    from betapod.evidence.records import registry

    path = tmp_path / "wide.csv"
    path.write_text("study_id," + "x," * 70_000 + "y\n")
    with pytest.raises(BetapodError) as raised:
        registry.check_table(path)
    assert raised.value.kinds == ("too-many-columns",)

"""CellML that is refused: each fault at its line, all at once, and nothing but `ExchangeError` for damaged files."""

import contextlib
import random
import sys

import cellml_text as text
import pytest

import betapod
from betapod.base.errors import BetapodError, ExchangeError, MissingExtraError

GOOD = text.component("a", "t second\nx dimensionless = 1\nk dimensionless = 2", "x' = k")
RESET = '<reset variable="x" test_variable="x" order="1"/>'

#: What is wrong -> model, kind and line of each problem, words of the first.
FAULTS = {
    "no XML": ("<model", [("invalid-cellml", 1)], "not XML"),
    "another format": ("<sbml/>", [("invalid-cellml", 1)], "not a model of CellML"),
    "no equations": (text.model('<component name="a"/>'), [("invalid-cellml", 1)], "no equations"),
    "a reset": (text.model(GOOD.replace("<math", RESET + "<math")), [("unsupported", 6)], "reset of 'x' in 'a'"),
    "a reaction": (
        text.model(GOOD.replace("<math", "<reaction/><math"), version="1.0"),
        [("unsupported", 6)],
        "reaction in 'a'",
    ),
    "two unknown names": (
        text.model(text.component("a", "t second\nx dimensionless = 1", "x' = y", "x = z")),
        [("invalid-cellml", 6), ("invalid-cellml", 7)],
        "'y'",
    ),
    "an unknown unit": (
        text.model(GOOD.replace("dimensionless", "mg")),
        [("invalid-cellml", 4), ("invalid-cellml", 5)],
        "'mg'",
    ),
    "a state without a start": (text.model(GOOD.replace(' initial_value="1"', "")), [("invalid-cellml", 4)], "'x'"),
    "an unknown operator": (
        text.model(GOOD.replace("<ci>k</ci>", "<apply><factorial/><ci>k</ci></apply>")),
        [("invalid-cellml", 7)],
        "'factorial'",
    ),
    "a relation that is not linear": (
        text.model(text.component("a", "t second\nx dimensionless = 1\ny dimensionless", "x' = y", "y*y = x")),
        [("unsupported", 8)],
        "determines 'y' is not linear",
    ),
    "a second derivative": (
        text.model(GOOD.replace("<ci>t</ci>", "<ci>t</ci><degree><cn cellml:units='dimensionless'>2</cn></degree>")),
        [("invalid-cellml", 7)],
        "first order",
    ),
    "imports from elsewhere": (
        text.model(
            '<import xlink:href="https://models.org/a.cellml"/>\n<import xlink:href="b.cellml"/>', GOOD, version="1.1"
        ),
        [("unsupported", 2), ("no-file", 3)],
        "not followed",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_told_with_their_lines(name):
    source, expected, words = FAULTS[name]
    with pytest.raises(ExchangeError) as caught:
        betapod.read_cellml(source)
    assert [(problem.kind, problem.location.line) for problem in caught.value.problems] == expected
    assert words in caught.value.problems[0].message


def test_faults_of_imported_files_are_told_with_their_file(tmp_path):
    importing = '<import xlink:href="{}"><component name="a" component_ref="a"/></import>'
    (tmp_path / "part.cellml").write_text(text.model(GOOD.replace("<ci>k</ci>", "<ci>q</ci>"), version="1.1"))
    (tmp_path / "main.cellml").write_text(text.model(importing.format("part.cellml"), version="1.1"))
    with pytest.raises(ExchangeError, match=r"part\.cellml:7: .*'q'"):
        betapod.read_cellml(tmp_path / "main.cellml")
    (tmp_path / "part.cellml").write_text(text.model(importing.format("main.cellml"), version="1.1"))
    with pytest.raises(ExchangeError, match=r"part\.cellml:2: cycle"):
        betapod.read_cellml(tmp_path / "main.cellml")
    (tmp_path / "main.cellml").write_text(text.model(importing.format("gone.cellml"), version="1.1"))
    with pytest.raises(ExchangeError, match=r"main\.cellml:2: no-file"):
        betapod.read_cellml(tmp_path / "main.cellml")


def test_a_file_that_is_not_there():
    with pytest.raises(ExchangeError, match="no-file"):
        betapod.read_cellml("gone.cellml")


def test_an_input_that_is_no_parameter():
    with pytest.raises(ExchangeError, match="'kk' cannot be an input") as caught:
        betapod.read_cellml(text.model(GOOD), inputs=["kk", "x"])
    assert caught.value.kinds == ("unknown-input", "unknown-input") and "'k'" in str(caught.value)


def test_the_package_that_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "libcellml", None)
    with pytest.raises(MissingExtraError, match=r"betapod\[cellml\]"):
        betapod.read_cellml(text.model(GOOD))


def test_formulas_that_are_nested_too_deeply():
    source = text.model(GOOD.replace("<ci>k</ci>", "<apply><abs/>" * 300 + "<ci>k</ci>" + "</apply>" * 300))
    with pytest.raises(ExchangeError, match="nested this deeply"):
        betapod.read_cellml(source)


def test_damaged_files_raise_nothing_else():
    source = text.model(GOOD, text.component("b", "y dimensionless"), text.connection("a", "b", "x"))
    draw = random.Random(5)
    for _ in range(150):
        start = draw.randrange(len(source))
        damaged = source[:start] + source[start + draw.randrange(1, 30) :]
        with contextlib.suppress(BetapodError):
            betapod.read_cellml(damaged if "<" in damaged else "<")

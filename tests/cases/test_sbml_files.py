"""SBML files that strangers brought: the right import, or a refusal at its place, and never a crash."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import carry_out

from betapod import simulate
from betapod.base.errors import ExchangeError
from betapod.exchange import read_sbml
from betapod.exchange.foreign.nesting_guard import DEEPEST

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2">\n'
MATH = '<math xmlns="http://www.w3.org/1998/Math/MathML">'
ONE = HEAD.replace("level3/version2/core", "level1").replace('level="3"', 'level="1"')


def decay(attributes: str = "", start: str = 'initialAmount="2"', size: str = 'size="4"', units: str = "") -> str:
    """Return a model of one species that decays at 0.1 per unit of time."""
    return (
        f'{HEAD}<model id="m" {attributes}>\n{units}\n<listOfCompartments><compartment id="c" {size} constant="true" '
        f'spatialDimensions="3"/></listOfCompartments>\n<listOfSpecies>\n<species id="A" compartment="c" {start} '
        'hasOnlySubstanceUnits="false" boundaryCondition="false" constant="false"/></listOfSpecies><listOfParameters>'
        '<parameter id="k" value="0.1" constant="true"/></listOfParameters><listOfReactions><reaction id="r" reversible="false">'
        f'<listOfReactants><speciesReference species="A" stoichiometry="1" constant="true"/></listOfReactants><kineticLaw>{MATH}'
        "<apply><times/><ci>k</ci><ci>A</ci><ci>c</ci></apply></math></kineticLaw></reaction></listOfReactions></model></sbml>"
    )


def unsized() -> str:
    """Return a model of one species that a rule changes, in a compartment without a size."""
    whole = decay(start='initialConcentration="2"', size="")
    rule = (
        f'<listOfRules><rateRule variable="A">{MATH}<apply><minus/><ci>A</ci></apply></math></rateRule></listOfRules>'
    )
    begin, end = whole.index("<listOfReactions>"), whole.index("</model>")
    return whole[:begin] + rule + whole[end:]


@pytest.mark.parametrize("start", ['initialAmount="NaN"', 'initialConcentration="NaN"', 'initialAmount="INF"'])
def test_a_species_cannot_start_from_no_number(start: str) -> None:
    with pytest.raises(ExchangeError) as caught:
        read_sbml(decay(start=start))
    [problem] = caught.value.problems
    assert (problem.kind, problem.location.line) == ("bad-number", 7)
    assert "'A' cannot start from" in problem.message


@pytest.mark.parametrize("depth", [DEEPEST, 3_000, 50_000])
def test_mathematics_nested_too_deeply_is_refused_before_it_crashes(depth: int) -> None:
    text = (
        f'{HEAD}<model id="m"><listOfParameters><parameter id="p" constant="false"/></listOfParameters><listOfRules>'
        f'<assignmentRule variable="p">{MATH}{"<apply><abs/>" * depth}<cn>1</cn>{"</apply>" * depth}</math></assignmentRule>'
        "</listOfRules></model></sbml>"
    )
    with pytest.raises(ExchangeError, match="nested this deeply"):
        read_sbml(text)


@pytest.mark.parametrize(
    "formula", ["(" * 100_000 + "1" + ")" * 100_000, "-" * 100_000 + "1", "abs(" * 9_000 + "1" + ")" * 9_000]
)
def test_formulas_of_level_1_nested_too_deeply_are_refused(formula: str) -> None:
    text = (
        f'{ONE}<model name="m"><listOfCompartments><compartment name="c"/></listOfCompartments><listOfParameters>'
        f'<parameter name="p" value="1"/></listOfParameters><listOfRules><parameterRule name="p" formula="{formula}"/>'
        "</listOfRules></model></sbml>"
    )
    with pytest.raises(ExchangeError, match="nested this deeply"):
        read_sbml(text)


def test_a_default_unit_that_nothing_uses_may_be_undefined() -> None:
    model = read_sbml(decay('areaUnits="area" lengthUnits="len" volumeUnits="litre"'))
    assert [text for text in model.report.ignored if "'area'" in text and "areaUnits" in text]
    assert simulate(model, [0.0, 10.0]).table["A"].iloc[-1] == pytest.approx(0.5 * 0.36787944, rel=1e-5)
    with pytest.raises(ExchangeError, match="10313"):
        read_sbml(decay('volumeUnits="vol"'))


def test_a_compartment_without_a_size_is_told() -> None:
    model = read_sbml(unsized())
    [text] = model.report.notes
    assert "compartment c has no size" in text
    assert "A" in text
    assert read_sbml(decay()).report.notes == ()


def test_foreign_numbers_claim_no_provenance() -> None:
    row = read_sbml(decay()).parameters["k"]
    assert (row.role, row.grade, row.source) == ("imported", "", "")


@pytest.mark.parametrize(
    ("multiplier", "scale", "unit", "days"),
    [(31557600.0, 0, "year", 365.25), (31536000.0, 0, None, 365.0), (86400.0, 0, "day", 1.0), (3600.0, 0, "h", 1 / 24)],
)
def test_a_year_of_a_file_has_as_many_seconds_as_betapods(
    multiplier: float, scale: int, unit: str | None, days: float
) -> None:
    from betapod.base.units import convert_unit

    defined = (
        '<listOfUnitDefinitions><unitDefinition id="T"><listOfUnits><unit kind="second" exponent="1" '
        f'scale="{scale}" multiplier="{multiplier}"/></listOfUnits></unitDefinition></listOfUnitDefinitions>'
    )
    model = read_sbml(decay('timeUnits="T"', units=defined))
    assert model.time_unit == (unit or "1")
    if unit:
        assert convert_unit(1.0, model.time_unit, "day") == pytest.approx(days, rel=1e-12)


def test_a_shipped_case_of_the_suite_imports() -> None:
    path = Path(__file__).parents[3] / "shared" / "findings" / "cases" / "sbml" / "suite_00959.xml"
    if not path.is_file():
        pytest.skip("the shared cases are not here")
    assert any("areaUnits" in text for text in read_sbml(path).report.ignored)


def test_the_command_line_tells_and_does_not_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nan.xml").write_text(decay(start='initialAmount="NaN"'))
    (tmp_path / "unsized.xml").write_text(unsized())
    monkeypatch.chdir(tmp_path)
    done = carry_out("model", "check", "nan.xml")
    assert (done.returncode, "nan.xml:7:" in done.stderr) == (2, True)
    done = carry_out("model", "show", "unsized.xml")
    assert done.returncode == 0
    assert "has no size" in done.stderr

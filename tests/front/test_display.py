"""Results show themselves: a card for notebooks, a line, a figure, files."""

from __future__ import annotations

import dataclasses
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import betapod
from betapod.base.display import Displayed
from betapod.base.errors import ConfigError, ParameterError
from betapod.front import cards, plots

SIX_YEARS = [0.0, 365.25, 6 * 365.25]


def _made() -> dict[str, Any]:
    kidney = betapod.load_model("kidney")
    evidence = betapod.load_evidence()
    cohort = betapod.select_cohort("FLOW", patients=50)
    run = betapod.run_trial("dn61", designs=["single arm"], scenarios=["none"], replicates=4)
    return {
        "Answer": betapod.answer(),
        "Model": kidney,
        "ParameterTable": kidney.parameters,
        "Result": betapod.simulate(kidney, SIX_YEARS, outputs=["GFR", "UACR"]),
        "EnsembleResult": betapod.Ensemble(kidney, ["GFR"]).run({"G": np.linspace(5.0, 12.0, 9)}, SIX_YEARS),
        "EnsembleSummary": betapod.Ensemble(kidney, ["GFR"]).summarise(
            {"G": np.linspace(5.0, 12.0, 9)}, SIX_YEARS, groups=["low"] * 4 + ["high"] * 5
        ),
        "Library": betapod.load_library(),
        "SelectedCohort": cohort,
        "Protocol": betapod.load_protocol("dn61"),
        "TrialRun": run,
        "TrialData": run["single arm", "none"],
        "Registry": evidence,
        "Pooled": betapod.pool(
            evidence.select(endpoint="HbA1c", product="UC-MSC", controls=True), across=["population"]
        ),
        "Ledger": betapod.judge_claims(["A01", "B20"], simulate=False),
        "SizedTrial": betapod.size_trial("nephstrom", power=0.8, threads=1),
        "Confrontation": betapod.confront(
            evidence.select(study="NEPHSTROM2023"), ["none"], patients=10, threads=1, fit_draws=2
        ),
        "Scorecard": betapod.validate(targets=["kidney/V1a", "kidney/V3"]),
    }


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    return _made()


KINDS = tuple(cards._CARDS)


def test_every_result_of_the_front_door_is_looked_at(results: dict[str, Any]) -> None:
    assert set(results) == set(KINDS)
    for name, each in results.items():
        assert type(each).__name__ == name and isinstance(each, Displayed)
    public = {name for name in betapod.__all__ if isinstance(getattr(betapod, name), type)}
    shown = {name for name in public if issubclass(getattr(betapod, name), Displayed)}
    assert shown <= set(KINDS)
    assert set(plots._PLOTS) == set(KINDS) - {"TrialData", "Answer"}  # an answer has its pictures on its page


@pytest.mark.parametrize("kind", KINDS)
def test_a_card_is_small_and_well_formed(results: dict[str, Any], kind: str) -> None:
    result = results[kind]
    text = result._repr_html_()
    assert ET.fromstring(text).tag == "div"
    assert 150 < len(text) < 20_000
    line = repr(result)
    assert line.startswith(f"<{kind} ") and "\n" not in line and len(line) < 200


@pytest.mark.parametrize("kind", KINDS)
def test_the_table_is_written_with_units_and_nothing_is_overwritten(
    results: dict[str, Any], kind: str, tmp_path: Path
) -> None:
    result, path = results[kind], tmp_path / "table.csv"
    table = result.table
    assert result.to_csv(path) == path
    read = pd.read_csv(path, float_precision="round_trip")
    indexed = table.index.name is not None
    assert read.shape == (len(table), table.shape[1] + indexed)
    heads = [str(name) for name in table.columns]
    assert [head.partition(" [")[0] for head in read.columns][indexed:] == heads
    for name, head in zip(heads, list(read.columns)[indexed:], strict=True):
        if pd.api.types.is_float_dtype(table[name]):
            np.testing.assert_allclose(read[head].astype(float), table[name], rtol=1e-9)
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="the file exists") as caught:
        result.to_csv(path)
    assert caught.value.kinds == ("would-overwrite",) and "overwrite=True" in str(caught.value)
    assert path.read_bytes() == before
    path.write_text("mine", encoding="utf-8")
    result.to_csv(path, overwrite=True)
    assert path.read_bytes() == before


@pytest.mark.parametrize("kind", KINDS)
def test_parquet_has_the_numbers_and_the_units(results: dict[str, Any], kind: str, tmp_path: Path) -> None:
    import duckdb

    result, path = results[kind], tmp_path / "table.parquet"
    result.to_parquet(path)
    table = result.table.reset_index() if result.table.index.name is not None else result.table
    with duckdb.connect() as database:
        read = database.execute(f"SELECT * FROM '{path}'").df()
        kept = dict(database.execute(f"SELECT key, value FROM parquet_kv_metadata('{path}')").fetchall())
    assert list(read.columns) == [str(name) for name in table.columns] and len(read) == len(table)
    for name in table.columns:
        if pd.api.types.is_float_dtype(table[name]):
            np.testing.assert_array_equal(read[name].to_numpy(dtype=float), table[name].to_numpy(dtype=float))
    units = json.loads(kept[b"units"])
    assert units == {name: unit for name, unit in units.items() if name in read.columns and unit}
    with pytest.raises(ConfigError, match="the file exists"):
        result.to_parquet(path)


def test_units_stand_in_heads(results: dict[str, Any], tmp_path: Path) -> None:
    def heads(kind: str) -> list[str]:
        path = results[kind].to_csv(tmp_path / f"{kind}.csv")
        return path.read_text(encoding="utf-8").splitlines()[0].split(",")

    assert heads("Result") == ["time [day]", "GFR [mL/min]", "UACR [mg/g]"]
    assert {"age [year]", "egfr [mL/min/1.73m2]", "true_uacr [mg/g]", "female"} <= set(heads("SelectedCohort"))
    assert heads("Protocol") == ["visit", "day [day]", "window [day]"]
    assert heads("EnsembleResult") == ["patient", "time", "name", "value", "unit"]
    assert "change [%]" in heads("TrialRun")


@pytest.mark.parametrize("kind", sorted(plots._PLOTS))
def test_a_figure_is_drawn_and_shows_itself(results: dict[str, Any], kind: str) -> None:
    pytest.importorskip("matplotlib")
    figure = results[kind].plot()
    picture = figure._repr_png_()
    assert picture.startswith(b"\x89PNG") and len(picture) > 3_000
    assert any(axes.has_data() for axes in figure.axes)


def test_the_figure_of_an_ensemble_has_its_quantiles(results: dict[str, Any]) -> None:
    pytest.importorskip("matplotlib")
    result = results["EnsembleResult"]
    (axes,) = result.plot().axes
    (line,) = axes.lines
    np.testing.assert_allclose(line.get_xdata(), np.array(SIX_YEARS) / 365.25)
    np.testing.assert_allclose(line.get_ydata(), np.median(result.values[:, :, 0], axis=0))
    assert axes.get_ylabel() == "GFR (mL/min)"


def test_the_figure_of_a_trial_has_geometric_means_of_a_ratio_quantity(results: dict[str, Any]) -> None:
    pytest.importorskip("matplotlib")
    run, data = results["TrialRun"], results["TrialData"]
    (axes,) = run.plot(quantity="uacr").axes
    values = np.where(data.enrolled[:, :, None], data.observed["UACR"], np.nan).astype(float)
    expected = np.exp(np.median(np.nanmean(np.log(values), axis=1), axis=0))
    np.testing.assert_allclose(axes.lines[0].get_ydata(), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("unit", "said", "axis"),
    [("second", "from 0 to 2000 s,", "s"), ("", "from 0 to 2000,", "time"), ("day", "from 0 to 2000 days,", "years")],
)
def test_times_of_an_imported_model_are_shown_in_its_own_unit(unit: str, said: str, axis: str) -> None:
    written = betapod.write_sbml(betapod.load_model("topp2000"))
    assert 'timeUnits="day"' in written
    model = betapod.read_sbml(written.replace('timeUnits="day"', f'timeUnits="{unit}"' if unit else ""))
    result = betapod.simulate(model, [0, 50, 2000], outputs=["glucose"])
    ensemble = betapod.Ensemble(model, ["glucose"]).run(2, [0, 50, 2000])
    assert said in repr(result)
    assert result.units["time"] == ensemble.time_unit == model.time_unit
    assert [each.plot().axes[0].get_xlabel() for each in (result, ensemble)] == [axis, axis]


def test_two_simulations_stand_in_one_figure(results: dict[str, Any]) -> None:
    pytest.importorskip("matplotlib")
    kidney = betapod.load_model("kidney").with_values({"G": 12.0})
    treated, untreated = results["Result"], betapod.simulate(kidney, SIX_YEARS, outputs=["UACR", "GFR", "RPF"])
    figure = treated.plot(against={"hyperglycaemia": untreated}, label="normal")
    assert [axes.get_ylabel() for axes in figure.axes] == ["GFR (mL/min)", "UACR (mg/g)"]
    first, second = figure.axes[1].lines
    assert (first.get_label(), second.get_label()) == ("normal", "hyperglycaemia")
    np.testing.assert_array_equal(second.get_ydata(), untreated.table["UACR"])
    with pytest.raises(ConfigError, match="the result has no 'RPF'"):
        treated.plot(outputs=["RPF"], against={"hyperglycaemia": untreated})


def test_what_cannot_be_drawn_is_said(results: dict[str, Any]) -> None:
    pytest.importorskip("matplotlib")
    with pytest.raises(ConfigError, match="Did you mean 'GFR'"):
        results["Result"].plot(outputs=["GRF"])
    with pytest.raises(ConfigError, match="unknown-quantity"):
        results["TrialRun"].plot(quantity="POTASSIUM")
    with pytest.raises(ConfigError, match="there is no figure of a TrialData"):
        results["TrialData"].plot()


def test_printing_a_protocol_gives_the_line() -> None:
    found = betapod.load_protocol("dn61")
    assert str(found) == repr(found) and str(found).startswith("<Protocol dn61")


def test_a_line_needs_no_analysis() -> None:
    run = betapod.run_trial("dn61", designs=["single arm"], scenarios=["none"], replicates=2)
    repr(run)
    assert "summary" not in vars(run)


def test_other_peoples_text_is_text() -> None:
    table = betapod.ParameterTable([betapod.Parameter("k", "<script>alert(1)</script>\x1b[2J & co", 1.0, "1/day")])
    text = table._repr_html_()
    ET.fromstring(text)
    assert "<script" not in text and "&lt;script&gt;" in text and "\x1b" not in text


def test_tables_of_a_model_and_of_its_parameters() -> None:
    kidney = betapod.load_model("kidney")
    table = kidney.table
    assert list(table["kind"].unique()) == ["state", "equation", "parameter", "input"]
    assert dict(zip(table["name"], table["unit"], strict=True)) == kidney.units
    rows = kidney.parameters.table.set_index("id")
    assert rows.loc["Na_plasma", "value"] == kidney.parameters["Na_plasma"].value


def test_formulas_show_as_what_they_are() -> None:
    kidney = betapod.load_model("topp2000")
    markdown = betapod.render(kidney)
    assert markdown._repr_markdown_() == str(markdown) and markdown._repr_html_() is None
    page = betapod.render(kidney, "html")
    frame = ET.fromstring(page._repr_html_())
    assert frame.tag == "iframe" and frame.attrib["srcdoc"] == str(page).replace("\n", " ").replace("\t", " ")
    assert betapod.render(kidney, "mermaid")._repr_markdown_().startswith("```mermaid\n")
    assert betapod.render(kidney, "latex")._repr_markdown_() is None


def test_an_overlay_is_laid_over_a_model() -> None:
    kidney = betapod.load_model("kidney")
    row = kidney.parameters["Na_plasma"]
    own = betapod.ParameterTable([betapod.Parameter("Na_plasma", row.label, row.value + 5.0, row.unit)])
    assert betapod.load_model("kidney", [own]).parameters["Na_plasma"].value == row.value + 5.0
    assert betapod.load_model("kidney") is kidney
    with pytest.raises(ParameterError):
        betapod.load_model("kidney", [betapod.ParameterTable([betapod.Parameter("nothing", "", 1.0, "1")])])


def test_names_of_users_are_text_in_cards_and_lines() -> None:
    """Neither markup nor control characters of a name reach a notebook or a terminal."""
    evil = "<script>x</script>\x00\x1b[31m&"
    kidney = dataclasses.replace(betapod.load_model("kidney"), name=evil, description=evil)
    trial = betapod.load_protocol("dn61").model_copy(update={"name": evil, "title": evil})
    for result in (kidney, trial):
        card = result._repr_html_()
        ET.fromstring(card)
        assert "<script" not in card
        assert repr(result).isprintable()

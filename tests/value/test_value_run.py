"""A comparison that was run: laws of its numbers, its folder, and running it again."""

from __future__ import annotations

import json
import shutil
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from betapod.base.errors import ConfigError
from betapod.value.economics.acceptability import net_benefit
from betapod.value.economics.information import evpi, evppi
from betapod.value.value_folder import is_value_folder, open_value_folder, run_value_into, write_value_result
from betapod.value.value_result import ValueResult
from betapod.value.value_run import run_value_file


def flat(values: Any) -> Any:
    """Return nested arrays as plain values that compare."""
    if isinstance(values, dict):
        return {key: flat(value) for key, value in values.items()}
    return np.asarray(values).tolist() if isinstance(values, np.ndarray) else values


def test_items_of_cost_add_up(compared: ValueResult) -> None:
    for structure in compared.structures:
        total = sum(compared.items[structure].values())
        assert total == pytest.approx(compared.costs[structure])
        assert compared.costs[structure].min() > 0


def test_discounting_and_a_shorter_horizon_lower_what_is_gained(compared: ValueResult) -> None:
    for structure in compared.structures:
        central, plain = compared.central[structure], compared.scenarios["no discounting"][structure]
        assert (compared.years[structure] > compared.life_years[structure]).all()
        assert (compared.life_years[structure] > compared.qalys[structure]).all()
        assert plain["life_years"] == pytest.approx(central["years"])
        assert (plain["qalys"] > central["qalys"]).all() and (plain["costs"] > central["costs"]).all()
        assert (compared.scenarios["two years"][structure]["qalys"] < central["qalys"]).all()


def test_cells_that_do_nothing_change_nothing_but_their_infusions(compared: ValueResult) -> None:
    """Under `none` cells harm alone: they gain no QALY, and their infusions cost what the pack says."""
    for structure in compared.structures:
        assert (compared.increment(structure, "qalys", "cells") <= 1e-6).all()
        assert compared.items[structure]["procedures: infusion"].mean(axis=1) == pytest.approx([0, 600, 0])
    assert compared.cell_courses is not None and compared.cell_courses.tolist() == [0, 1, 0]


def test_means_of_people_are_the_central_values(compared: ValueResult) -> None:
    for structure in compared.structures:
        people = compared.person_qalys[structure]
        assert people.mean(axis=1) == pytest.approx(compared.central[structure]["qalys"])
        errors = compared.monte_carlo[structure]
        assert errors["qalys"] == pytest.approx(people.std(axis=1, ddof=1) / np.sqrt(people.shape[1]))
        assert errors["incremental_qalys"][0] == 0
        assert (errors["incremental_qalys"] < errors["qalys"]).all()


def test_what_is_drawn_is_the_same_for_all_strategies_and_moves_all_results(compared: ValueResult) -> None:
    assert set(compared.drawn) == set(compared.parameters)
    assert all(len(values) == compared.draws for values in compared.drawn.values())
    kinds = {row.kind for row in compared.parameters.values()}
    assert kinds == {"rate", "utility", "cost"}
    for row in compared.parameters.values():
        assert row.low <= row.value <= row.high, row.name
    assert compared.qalys["own"].std(axis=1).min() > 0
    # Costs that are drawn hang together with what they cost.
    price, spent = compared.drawn["cost:states:dialysis"], compared.items["own"]["dialysis"][0]
    assert np.corrcoef(price, spent)[0, 1] > 0.3


def test_one_number_at_a_time(compared: ValueResult) -> None:
    central = compared.central["own"]
    moved = compared.one_way["own"]["cost:states:dialysis"]
    assert moved[:, 0] == pytest.approx(np.tile(central["qalys"], (2, 1)))
    assert (moved[0, 1] <= central["costs"]).all() and (moved[1, 1] >= central["costs"]).all()
    assert "between_studies" in compared.one_way["own"]
    assert "between_studies" not in compared.one_way["ukpds-om2"]


def test_information_is_worth_from_nothing_to_all(compared: ValueResult) -> None:
    benefits = net_benefit(compared.qalys["own"], compared.costs["own"], 20_000)
    for values in list(compared.drawn.values())[:40]:
        assert 0 <= evppi(benefits, values) <= evpi(benefits)


def test_yearly_costs_add_up_to_the_costs_of_the_horizon(compared: ValueResult) -> None:
    plain = compared.scenarios["no discounting"]["own"]["costs"]
    assert compared.yearly_costs["own"].sum(axis=1) == pytest.approx(plain)


def test_what_has_no_number_is_said(compared: ValueResult) -> None:
    text = " ".join(compared.missing)
    assert ("ketoacidosis" in text and "vision loss" in text and "biguanide" in text) or "metformin" in text
    assert "price of cells" in text


def test_a_result_comes_back_from_its_folder(compared: ValueResult, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({"identity": {"kind": "value"}}))
    write_value_result(tmp_path, compared)
    again = open_value_folder(tmp_path)
    for item in fields(ValueResult):
        assert (
            flat(getattr(again, item.name)) == pytest.approx(flat(getattr(compared, item.name)), nan_ok=True)
            if (item.name == "weights")
            else str(flat(getattr(again, item.name))) == str(flat(getattr(compared, item.name)))
        ), item.name


def test_the_same_comparison_in_memory_and_in_pieces(value_folder: Path, compared: ValueResult) -> None:
    run = value_folder / "memory.yaml"
    run.write_text((value_folder / "run.yaml").read_text() + "one_way: false\n")
    result = run_value_file(run, threads=1)
    assert not result.one_way
    assert result.qalys["own"] == pytest.approx(compared.qalys["own"])
    assert result.costs["ukpds-om2"] == pytest.approx(compared.costs["ukpds-om2"])


def test_an_interrupted_comparison_goes_on(value_folder: Path, compared: ValueResult, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    shutil.copytree(value_folder / "out", folder)
    (folder / "result.json").unlink()
    pieces = sorted((folder / "pieces").iterdir())
    pieces[0].unlink()
    pieces[1].write_bytes(b"damaged")
    with pytest.raises(ConfigError, match="incomplete-run"):
        open_value_folder(folder)
    asked: list[int] = []
    result = run_value_into(folder, value_folder / "run.yaml", progress=lambda text, done, total: asked.append(total))
    assert result.qalys["own"] == pytest.approx(compared.qalys["own"])
    assert is_value_folder(folder)


def test_a_folder_of_something_else_stays_as_it_is(value_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="other-run"):
        run_value_into(value_folder / "out", value_folder / "run.yaml", draws=31)
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ConfigError, match="folder-in-use"):
        run_value_into(tmp_path, value_folder / "run.yaml")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]

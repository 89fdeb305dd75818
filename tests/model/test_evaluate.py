"""Quantities of a model at one moment: of states, of people at once, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import betapod
from betapod.base.errors import ModelError
from betapod.model import Model
from betapod.physiology import whole_body


@pytest.fixture(scope="module")
def model() -> Model:
    return whole_body.named_model("kidney")


def test_the_first_row_of_a_simulation_is_the_model_at_rest(model: Model) -> None:
    names = ["GFR", "UACR", "RPF", *model.state_names]
    first = betapod.simulate(model, [0.0, 1.0], outputs=names).table.iloc[0]
    assert model.evaluate(names) == pytest.approx(first[names].to_dict(), rel=1e-12)


def test_people_at_once_are_people_one_by_one(model: Model) -> None:
    glucose = np.array([5.0, 8.5, 12.0])
    together = model.evaluate(["GFR", "UGE"], {"G": glucose})
    for k, value in enumerate(glucose):
        alone = model.evaluate(["GFR", "UGE"], {"G": float(value)})
        assert alone == pytest.approx({name: column[k] for name, column in together.items()}, rel=1e-13)
    assert len(set(together["UGE"])) == 3


def test_the_last_value_wins(model: Model) -> None:
    assert model.evaluate(["G", "t"], {"G": 5.0}, {"G": 9.0, "t": 2.0}) == {"G": 9.0, "t": 2.0}


def test_states_that_are_not_given_are_at_their_start(model: Model) -> None:
    start = model.initial_values()
    name = next(iter(start))
    assert model.evaluate(model.state_names, {name: 2.0 * start[name]}) == {**start, name: 2.0 * start[name]}


@pytest.mark.parametrize(("names", "values"), [(["GRF"], {}), (["GFR"], {"GG": 5.0}), (["GFR"], {"GFR": 90.0})])
def test_unknown_names_are_refused(model: Model, names: list[str], values: dict[str, float]) -> None:
    with pytest.raises(ModelError, match="unknown-name"):
        model.evaluate(names, values)

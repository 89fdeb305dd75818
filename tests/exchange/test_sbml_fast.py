"""Reactions that take no time: against solutions in closed form."""

import numpy as np
import pytest

from betapod.base.errors import ConfigError, ExchangeError, SolverError
from betapod.engine.ensemble import Ensemble
from betapod.engine.schedule import Dose, Schedule
from betapod.engine.scipy.reference import simulate_by_reference as simulate
from betapod.exchange import read_sbml, write_sbml


@pytest.fixture(scope="session")
def course(sbml):
    """Return a function that simulates a model in shorthand of Level 3 Version 1."""

    def table(text, times, schedule=None, **options):
        options = {"rtol": 1e-10, "atol": 1e-12, **options}
        return simulate(read_sbml(sbml(text, 3, 1)), times, schedule, **options).table

    return table


PAIR = """
    compartment c = 2
    species A in c amount=3 only_substance
    species B in c amount=1 only_substance
    parameter k = 4
    parameter loss = 0.3
    reaction F: A -> B ; k*A - B ; fast
    reaction L: A -> ; loss*A
"""


def test_a_pair_in_balance_is_lost_as_one(course):
    times = np.linspace(0, 10, 21)
    table = course(PAIR, times)
    total = 4.0 * np.exp(-0.3 * times / 5.0)
    np.testing.assert_allclose(table["A"], total / 5.0, rtol=2e-8)
    np.testing.assert_allclose(table["B"], 4.0 * total / 5.0, rtol=2e-8)


def test_the_speed_that_the_file_gives_does_not_matter(course):
    times = np.linspace(0, 10, 6)
    slow = PAIR.replace("k*A - B", "1e-9*(k*A - B)")
    np.testing.assert_allclose(course(slow, times)["A"], course(PAIR, times)["A"], rtol=2e-8)


def test_a_dose_is_shared_out_at_once(course):
    times = [0.0, 0.9, 1.1, 2.0]
    table = course(PAIR.replace("loss = 0.3", "loss = 0"), times, Schedule([Dose("A", 10.0, time=1.0)]))
    np.testing.assert_allclose(table["A"], [0.8, 0.8, 2.8, 2.8], rtol=1e-9)
    np.testing.assert_allclose(table["B"], [3.2, 3.2, 11.2, 11.2], rtol=1e-9)


def test_three_in_a_row_with_concentrations_and_a_conversion(course):
    text = """
        compartment c = 2
        species A in c concentration=3
        species B in c concentration=0
        species C in c concentration=0 factor=f
        parameter f = 2
        reaction F: A -> B ; c*(2*A - B) ; fast
        reaction G: B -> C ; c*(3*B - C) ; fast
    """
    # C gains twice what B loses: A + B + C/2 = 3 with B = 2 A and C = 6 A.
    table = course(text, [0.0, 5.0])
    for name, value in {"A": 0.5, "B": 1.0, "C": 3.0}.items():
        np.testing.assert_allclose(table[name], value, rtol=1e-8)


def test_what_goes_one_way_is_gone_at_the_start(course):
    text = """
        compartment c = 1
        species A in c amount=1
        species B in c amount=3
        species D in c amount=2
        reaction F: A -> B ; A ; fast
        reaction S: B + D -> ; B*D
    """
    times = np.linspace(0, 2, 11)
    table = course(text, times)
    # B starts from 4: B - D = 2 stays, and D' = -D (D + 2).
    d = 2.0 / (2.0 * np.exp(2.0 * times) - 1.0)
    np.testing.assert_allclose(table["D"], d, rtol=1e-7)
    np.testing.assert_allclose(table["A"], 0.0, atol=1e-8)


def test_events_turn_it_on_and_off(course):
    text = """
        compartment c = 1
        species A in c amount=0
        species B in c amount=2
        parameter k = 0 variable
        reaction S: B -> A ; 1
        reaction F: A -> B ; k*A ; fast
        event On: A >= 0.5 ; k = 1
        event Off: time >= 0.75 ; k = 0
    """
    times = np.linspace(0, 1, 9)
    table = course(text, times)
    expected = np.where(times < 0.5, times, np.where(times < 0.75, 0.0, times - 0.75))
    np.testing.assert_allclose(table["A"], expected, atol=1e-7)
    np.testing.assert_allclose(table["A"] + table["B"], 2.0, rtol=1e-12)


def test_what_never_rests_is_named(course):
    with pytest.raises(SolverError, match="A") as caught:
        course("compartment c = 1\nspecies A in c amount=1\nreaction F: -> A ; 1 ; fast", [0.0, 1.0])
    assert caught.value.kinds == ("no-rest",)


def test_other_doors_name_it(sbml):
    model = read_sbml(sbml(PAIR, 3, 1))
    with pytest.raises(ConfigError, match="F"):
        Ensemble(model).run(1, [0.0, 1.0])
    with pytest.raises(ExchangeError, match="F"):
        write_sbml(model)
    with pytest.raises(ExchangeError, match="fast reaction F changes"):
        read_sbml(sbml(PAIR.replace("loss*A", "loss*rateOf(A)"), 3, 1))

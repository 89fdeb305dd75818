"""Parameters of a file as inputs, which schedules change."""

import numpy as np
import pytest
from commands import carry_out

from betapod.base.errors import ConfigError, ExchangeError
from betapod.engine.ensemble import Ensemble
from betapod.engine.schedule import Schedule, Switch
from betapod.engine.scipy.reference import simulate_by_reference as simulate
from betapod.exchange import read_sbml

TEXT = """
    compartment c = 2
    species A in c amount=8
    parameter k = 0.5
    parameter twice variable
    initial twice = 2*k
    parameter x = 0 variable
    rate x = twice
    reaction J: A -> ; k*A*c
"""


@pytest.fixture(scope="module")
def text(sbml):
    return sbml(TEXT)


def test_a_rate_constant_is_switched_and_what_was_computed_from_it_stays(text):
    model = read_sbml(text, inputs=["k"])
    assert list(model.inputs) == ["k"] and model.inputs["k"].role == "input" and "k" not in model.parameters
    times = np.linspace(0, 4, 9)
    schedule = Schedule((), [Switch("k", 0.0, 2.0)])
    table = simulate(model, times, schedule, rtol=1e-10, atol=1e-12).table
    np.testing.assert_allclose(table["A_amount"], 8.0 * np.exp(-0.5 * np.minimum(times, 2.0)), rtol=1e-8)
    np.testing.assert_allclose(table["x"], times, atol=1e-9)  # twice is 2 k of the start
    ensemble = Ensemble(model, ["A_amount", "x"], rtol=1e-9, atol=1e-12).run(1, times, schedule)
    np.testing.assert_allclose(ensemble.values[0], table[["A_amount", "x"]], rtol=1e-6, atol=1e-8)


def test_a_compartment_that_grows_keeps_amounts(text):
    table = simulate(
        read_sbml(text, inputs=["c", "k"]),
        [0.0, 1.0, 2.0],
        Schedule((), [Switch("k", 0.0, 0.0), Switch("c", 4.0, 1.5)]),
    ).table
    np.testing.assert_allclose(table["A_amount"], 8.0)
    np.testing.assert_allclose(table["A"], [4.0, 4.0, 2.0])


def test_values_that_were_set_stay(text):
    model = read_sbml(text).with_values({"k": 0.25, "c": 3.0}).with_inputs(["k"])
    assert model.inputs["k"].value == 0.25 and model.parameters["c"].value == 3.0
    assert list(model.with_inputs("c").inputs) == ["c", "k"]


@pytest.mark.parametrize(
    ("name", "reason"), [("A", "the file itself"), ("twice", "the file itself"), ("kk", "no such")]
)
def test_what_cannot_be_an_input_is_named(text, name, reason):
    with pytest.raises(ExchangeError, match=reason) as caught:
        read_sbml(text, inputs=[name])
    assert caught.value.kinds == ("unknown-input",) and (name != "kk" or "'k'" in str(caught.value))


def test_a_rate_that_would_need_that_of_an_input_is_refused(sbml):
    rated = sbml(TEXT + "parameter r variable\nassign r = rateOf(A)")
    assert read_sbml(rated).state_names
    with pytest.raises(ExchangeError, match="input"):
        read_sbml(rated, inputs=["c"])


def test_a_switch_of_a_parameter_says_how_it_becomes_an_input(text):
    with pytest.raises(ConfigError, match=r"with_inputs\(\['k'\]\)"):
        simulate(read_sbml(text), [0.0, 1.0], Schedule((), [Switch("k", 1.0, 0.5)]))


def test_the_command_line_makes_inputs_of_what_is_switched(text, tmp_path):
    file = tmp_path / "model.xml"
    file.write_text(text, encoding="utf-8")
    done = carry_out("simulate", file, "--switch", "k=0@2", "--duration", "4", "--step", "2", "--outputs", "A_amount")
    assert done.returncode == 0, done.stderr
    last = done.stdout.splitlines()[-1].split(",")
    assert float(last[0]) == 4 and abs(float(last[1]) - 8.0 * np.exp(-1.0)) < 1e-5
    refused = carry_out("simulate", file, "--switch", "twice=0@2", "--duration", "4")
    assert refused.returncode == 2 and "'twice' is not an input" in refused.stderr

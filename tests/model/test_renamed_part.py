"""One text, several instances: renaming and suffixing a part."""

import pytest

from betapod.base.errors import ModelError
from betapod.model import ParameterTable, Part, assemble
from betapod.model.algebra.evaluate import compile_function
from betapod.model.parameters.table import Parameter

TABLE = ParameterTable(
    [
        Parameter("k", "rate", 0.5, "1/day"),
        Parameter("x_start", "start", 3.0, "g"),
        Parameter("drive_a", "drive", 2.0, "g", role="input"),
        Parameter("drive_b", "drive", 5.0, "g", role="input"),
        Parameter("wrong", "drive in another unit", 5.0, "L", role="input"),
    ]
)
TEXT = """
twice(drive) = 2*drive                 [g]      a local function whose argument hides the read
goal         = twice(drive)            [g]      goal
dx/dt        = k*(goal - x)            [g/day]  pool
x(0)         = x_start                 [g]      pool
"""
PART = Part.from_text("Pool", TEXT, ("drive [g]",), events='full when x > goal then x = goal "full"')


def test_instances_share_parameters_and_own_their_states() -> None:
    model = assemble("two", [PART.instance("a", "drive"), PART.instance("b", "drive")], TABLE)
    assert model.state_names == ("x_a", "x_b")
    assert set(model.parameters) == {"k", "x_start"}
    assert model.labels["goal_a"] == "goal, a"
    names = ("x_a", "x_b", *model.values())
    rates = compile_function([s.rate for s in model.states], [names])
    values = {"x_a": 1.0, "x_b": 1.0, **model.values()}
    assert rates([values[n] for n in names]) == [0.5 * (4 - 1), 0.5 * (10 - 1)]
    assert [e.assignments[0][0] for e in model.events] == ["x_a", "x_b"]


def test_renaming_one_name_leaves_the_rest() -> None:
    part = PART.renamed({"x": "y", "drive": "drive_b"}, "Other")
    assert part.names == ("goal", "y")
    assert [read.name for read in part.reads] == ["drive_b"]
    assert PART.names == ("goal", "x"), "the original is untouched"


def test_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(ModelError, match="Did you mean 'goal'"):
        PART.renamed({"gaol": "aim"}, "Other")


def test_units_are_checked_in_an_instance() -> None:
    with pytest.raises(ModelError) as caught:
        assemble("bad", [PART.renamed({"drive": "wrong"}, "Other")], TABLE)
    assert "wrong-unit" in caught.value.kinds

"""Broken model texts: each gives the named error at the right line and column, and one slip does not hide another."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from betapod.base.errors import ModelError
from betapod.model import Parameter, ParameterTable, Part, assemble

TABLE = ParameterTable(
    [
        Parameter("MAP0", "arterial pressure", 93.0, "mmHg"),
        Parameter("P_V", "venous pressure", 4.0, "mmHg"),
        Parameter("R_total", "resistance", 89.0, "mmHg*min/L"),
        Parameter("Hct", "haematocrit", 0.43, "1"),
        Parameter("W0", "width", 325.0, "nm"),
        Parameter("k_W", "growth", 13.0, "nm/year"),
        Parameter("tau_W", "removal", 4.0, "year"),
        Parameter("protein", "protein mass", 3.0, "mg"),
        Parameter("albumin", "albumin mass", 4.0, "g"),
        Parameter("width", "softplus width", 1.0, "mmHg"),
        Parameter("FF_start", "start", 0.2, "1"),
        Parameter("glucose", "mean glucose", 5.2, "mmol/L", role="input"),
    ]
)


@dataclass(frozen=True)
class Broken:
    """A text with the error that it must give, lines and columns from 1."""

    name: str
    equations: str
    kind: str
    line: int
    column: int
    says: str = ""
    reads: tuple[str, ...] = ()
    events: str = ""


CASES = [
    Broken("wrong unit", "Q = (MAP0 - P_V)/R_total [mmHg] flow", "wrong-unit", 1, 27, "[mmHg"),
    Broken("wrong unit in a sum", "Q = MAP0 + Hct [mmHg] x", "wrong-unit", 1, 10, "[1]"),
    Broken("wrong scale", "Q = (MAP0 - P_V)/R_total [mL/min] flow", "wrong-scale", 1, 27, "factor 1000"),
    Broken("mg for g", "m = protein + albumin [mg] mass", "wrong-scale", 1, 13, "1000"),
    Broken("rate on the wrong scale", "W(0) = W0 [nm] w\ndW/dt = k_W [nm/day] w", "wrong-scale", 2, 14, "nm/year"),
    Broken("rate without time", "W(0) = W0 [nm] w\ndW/dt = W0 - W [nm] w", "wrong-unit", 2, 17, "per time"),
    Broken("unknown name", "Q = MAP0 - P_VV [mmHg] x", "unknown-name", 1, 12, "'P_V'"),
    Broken("unknown function", "Q = log1(Hct) [1] x", "unknown-function", 1, 5, "'log'"),
    Broken("wrong number of arguments", "Q = hill(MAP0, P_V) [1] x", "bad-arguments", 1, 5, "hill(x, h, m)"),
    Broken("argument with a unit", "Q = exp(MAP0) [1] x", "wrong-unit", 1, 9, "[1]"),
    Broken("softplus of two units", "Q = softplus(Hct, width) [1] x", "wrong-unit", 1, 19),
    Broken("exponent with a unit", "Q = Hct**MAP0 [1] x", "wrong-unit", 1, 10),
    Broken("cycle", "a = b + Hct [1] x\nb = a*Hct [1] x", "cycle", 1, 1, "a -> b -> a"),
    Broken("two owners", "a = Hct [1] x\na = 2*Hct [1] y", "two-owners", 2, 1),
    Broken("owner and parameter", "Hct = 1 [1] x", "two-owners", 1, 1),
    Broken("missing initial value", "dW/dt = k_W [nm/year] w", "missing-initial", 1, 1, "W(0)"),
    Broken("initial value without rate", "W(0) = W0 [nm] w", "no-rate", 1, 1, "dW/dt"),
    Broken("two initial values", "W(0) = W0 [nm] w\nW(0) = 2*W0 [nm] w\ndW/dt = k_W [nm/year] w", "two-owners", 2, 1),
    Broken("literal number", "Q = 0.45*Hct [1] x", "literal-number", 1, 5, "parameter table"),
    Broken("literal integer factor", "Q = 3*Hct [1] x", "literal-number", 1, 5),
    Broken("bad syntax", "Q = MAP0 - * P_V [mmHg] x", "bad-syntax", 1, 12),
    Broken("open parenthesis", "Q = (MAP0 - P_V [mmHg] x", "bad-syntax", 1, 16, "')'"),
    Broken("two expressions", "Q = MAP0 P_V [mmHg] x", "bad-syntax", 1, 10, "operator"),
    Broken("strange character", "Q = MAP0 $ P_V [mmHg] x", "bad-syntax", 1, 10, "'$'"),
    Broken("open unit", "Q = MAP0 [mmHg", "bad-syntax", 1, 10, "]"),
    Broken("missing unit", "Q = MAP0 - P_V", "missing-unit", 1, 15),
    Broken("unknown unit", "Q = MAP0 [mmHgg] x", "unknown-unit", 1, 11, "mmHg"),
    Broken("unreadable unit", "Q = Hct [/] x", "bad-unit", 1, 10),
    Broken("reserved word", "lambda = Hct [1] x", "reserved-word", 1, 1),
    Broken("reserved word in an expression", "x = 2*from [1] x", "reserved-word", 1, 7),
    Broken("function as a name", "hill = Hct [1] x", "reserved-word", 1, 1),
    Broken("comparison", "Q = Hct < 1 [1] x", "not-smooth", 1, 9, "logistic"),
    Broken(
        "kink in a rate",
        "W(0) = W0 [nm] w\nq = max(Hct, 0) [1] x\ndW/dt = k_W*q [nm/year] w",
        "not-smooth",
        2,
        5,
        "softplus",
    ),
    Broken("undeclared read", "Q = glucose [mmol/L] x", "undeclared-read", 1, 5, "reads"),
    Broken("missing input", "Q = Hct [1] x", "missing-input", 1, 1, "'glucose'", reads=("glucos",)),
    Broken("unused read", "Q = Hct [1] x", "unused-read", 1, 1, reads=("glucose",)),
    Broken("read in another scale", "Q = glucose [mmol/L] x", "wrong-scale", 1, 1, reads=("glucose [mol/L]",)),
    Broken(
        "relation without its unknown", "FF solves Hct = 2*Hct from FF_start in 5 steps [1] x", "not-solvable", 1, 1
    ),
    Broken("relation of two units", "FF solves FF*MAP0 = Hct from FF_start in 5 steps [1] x", "wrong-unit", 1, 21),
    Broken("relation without steps", "FF solves FF*Hct = 1 from FF_start in MAP0 steps [1] x", "bad-syntax", 1, 39),
    Broken("event on no state", "q = Hct [1] x", "not-a-state", 1, 1, "not a state", events="e when q > 1 then q = 0"),
    Broken("event without trigger", "q = Hct [1] x", "bad-syntax", 1, 8, "comparison", events="e when q then stop"),
    Broken("event of two units", "q = Hct [1] x", "wrong-unit", 1, 10, events="e when q > MAP0 then stop"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_named_error_at_its_place(case: Broken) -> None:
    with pytest.raises(ModelError) as caught:
        part = Part.from_text("Broken", case.equations, case.reads, case.events, file="broken.txt")
        assemble("broken", [part], TABLE)
    problem = caught.value.problems[0]
    place = problem.location
    assert (problem.kind, place.file, place.line, place.column) == (case.kind, "broken.txt", case.line, case.column)
    assert case.says in str(problem)


def test_all_problems_of_all_submodels_at_once() -> None:
    broken = [
        case for case in CASES if case.kind in ("wrong-unit", "unknown-name", "literal-number") and not case.events
    ]
    parts = [
        Part.from_text(f"Part{i}", c.equations.replace("Q =", f"Q{i} ="), c.reads, file=f"{i}.txt")
        for i, c in enumerate(broken)
    ]
    with pytest.raises(ModelError) as caught:
        assemble("broken", parts, TABLE)
    assert {p.location.file for p in caught.value.problems} == {f"{i}.txt" for i in range(len(broken))}


def test_places_count_from_the_file_not_from_the_block() -> None:
    part = Part.from_text("Shifted", "\na = Hct [1] x\nb = Hctt [1] y\n", file="model.py", first_line=40)
    with pytest.raises(ModelError, match=r"model\.py:42:5: unknown-name"):
        assemble("shifted", [part], TABLE)


def test_a_class_points_into_its_own_source() -> None:
    from betapod.model import Submodel

    class Slipped(Submodel):
        """A submodel with a slip."""

        equations = """
        good = Hct  [1]  fine
        bad  = Hcc  [1]  not fine
        """

    with pytest.raises(ModelError) as caught:
        assemble("slipped", [Slipped], TABLE)
    place = caught.value.problems[0].location
    assert "Hcc  [1]" in Path(place.file).read_text(encoding="utf-8").splitlines()[place.line - 1]


def test_one_open_parenthesis_costs_one_statement() -> None:
    text = "a = (Hct + 1 [1] x\nb = 2*Hct [1] y\nc = (Hct\nd = Hctx [1] z"
    with pytest.raises(ModelError) as caught:
        assemble("broken", [Part.from_text("Broken", text, file="b.txt")], TABLE)
    assert {(p.kind, p.location.line) for p in caught.value.problems} == {
        ("bad-syntax", 1),
        ("bad-syntax", 3),
        ("unknown-name", 4),
    }

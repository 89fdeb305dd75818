"""Event data sets in the form of NONMEM: regimens against closed forms, covariates, order of rows, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from betapod.base.errors import BetapodError, ConfigError
from betapod.engine.nonmem.event_record import NonmemSettings
from betapod.engine.nonmem.nonmem_reader import NonmemTable, read_nonmem_table
from betapod.engine.nonmem.nonmem_writer import WrittenSubject, nonmem_text
from betapod.engine.nonmem.simulated_subjects import simulate_subjects, with_inputs
from betapod.engine.schedule import Dose, Schedule, Switch
from betapod.engine.scipy.reference import simulate_by_reference as simulate
from betapod.model import Model, Parameter, ParameterTable, Part, assemble

KA, K, V = 12.0, 1.5, 20.0
HEAD = "ID,TIME [h],EVID,CMT,AMT,RATE,DUR,II,ADDL,SS,DV"


@cache
def oral() -> Model:
    """A drug that is swallowed or infused; its clearance goes by weight."""
    rows = [
        Parameter("ka", "absorption", KA, "1/day"),
        Parameter("k", "elimination at 70 kg", K, "1/day"),
        Parameter("V", "volume", V, "L"),
        Parameter("WT", "weight", 70.0, "kg"),
        Parameter("WT_usual", "usual weight", 70.0, "kg"),
    ]
    text = """dGut/dt = -ka*Gut [mg/day] drug in the gut
    Gut(0) = 0 [mg] drug in the gut
    dBody/dt = ka*Gut - k*WT/WT_usual*Body [mg/day] drug in the body
    Body(0) = 0 [mg] drug in the body
    level = Body/V [mg/L] concentration
    cleared = k*WT/WT_usual [1/day] what is eliminated"""
    return assemble("oral", [Part.from_text("Oral", text)], ParameterTable(rows))


def read(path: Path, text: str, settings: NonmemSettings | None = None) -> NonmemTable:
    file = path / "data.csv"
    file.write_text(text)
    return read_nonmem_table(file, oral(), settings)


def seen(path: Path, text: str, outputs: tuple[str, ...] = ("Gut", "Body"), rule: str = "backward") -> pd.DataFrame:
    return simulate_subjects(oral(), read(path, text, NonmemSettings(covariates=rule)), outputs, threads=1)


# -- closed forms, times in hours ------------------------------------------------------------------------------------

KA_H, K_H = KA / 24.0, K / 24.0


def swallowed(amount: float, at: float) -> Callable[[float], float]:
    """Drug in the body after a dose into the gut."""
    return lambda t: (
        amount * KA_H / (KA_H - K_H) * (np.exp(-K_H * (t - at)) - np.exp(-KA_H * (t - at))) if t > at else 0.0
    )


def injected(amount: float, at: float) -> Callable[[float], float]:
    return lambda t: amount * np.exp(-K_H * (t - at)) if t >= at else 0.0


def infused(amount: float, at: float, length: float) -> Callable[[float], float]:
    """Drug in the body after an infusion into it."""
    rate = amount / length
    return lambda t: (
        rate / K_H * (1.0 - np.exp(-K_H * min(t - at, length))) * np.exp(-K_H * max(t - at - length, 0.0))
        if t > at
        else 0.0
    )


Shape = Callable[[float], Callable[[float], float]]


def train(of: Shape, every: float, last: float, first: float = -4000.0) -> list[Callable[[float], float]]:
    """Doses of a shape, from long ago (or a first one) to a last one."""
    count = int((last - first) / every + 1e-9)
    return [of(last - k * every) for k in range(count + 1)]


def swallow(amount: float) -> Shape:
    return lambda at: swallowed(amount, at)


def infuse(amount: float, length: float) -> Shape:
    return lambda at: infused(amount, at, length)


#: Rows of doses, times of observations in h, and what is in the body then. Doses that end at a time are cut by a reset.
REGIMENS: dict[str, tuple[str, list[float], list[Callable[[float], float]]]] = {
    "one tablet": ("0,1,Gut,100,.,.,.,.,.,.", [0.5, 3, 24, 96], [swallowed(100, 0)]),
    "tablets daily": ("0,1,1,100,0,.,24,6,.,.", [1, 25, 143, 200], train(swallow(100), 24, 144, 0)),
    "injection": ("0,1,2,50,.,.,.,.,.,.", [0, 1, 30], [injected(50, 0)]),
    "infusions by rate": ("0,1,Body,60,20,.,12,3,.,.", [1, 3, 13.5, 37, 60], train(infuse(60, 3), 12, 36, 0)),
    "infusion by duration": ("2,1,Body,60,.,4,.,.,.,.", [3, 5, 6, 20], [infused(60, 2, 4)]),
    "tablets for ever": ("0,1,Gut,100,.,.,24,3,1,.", [0.5, 12, 24.5, 90, 200], train(swallow(100), 24, 72)),
    "for ever, later": (
        "0,1,Body,500,.,.,.,.,.,.\n#,40,1,Gut,100,.,.,12,2,1,.", [41, 52.5, 80], train(swallow(100), 12, 64),
    ),
    "infusions that overlap": ("0,1,Body,90,.,36,24,1,1,.", [1, 12.5, 30, 61, 99], train(infuse(90, 36), 24, 24)),
    "infusion without end": ("5,1,Body,.,7,.,.,.,1,.", [6, 10, 50], [lambda t: 7.0 / K_H * np.exp(-K_H * (t - 5.0))]),
    "reset and dose": ("0,1,Body,500,.,.,8,9,.,.\n#,20,4,Gut,100,.,.,.,.,.,.", [21, 30, 60], [swallowed(100, 20)]),
    "morning and evening": (
        "0,1,Gut,100,.,.,24,2,1,.\n#,10,1,Gut,40,.,.,24,2,2,.", [11, 24.5, 36, 75],
        [*train(swallow(100), 24, 48), *train(swallow(40), 24, 58)],
    ),
    "two at once for ever": (
        "0,1,Gut,100,.,.,24,1,1,.\n#,0,1,Body,30,.,2,24,1,2,.", [1, 13, 24.5, 40],
        [*train(swallow(100), 24, 24), *train(infuse(30, 2), 24, 24)],
    ),
}  # fmt: skip


def table_of_regimens() -> str:
    lines = [HEAD]
    for number, (doses, times, _) in enumerate(REGIMENS.values(), start=1):
        lines += [f"{number},{row.removeprefix('#,')}" for row in doses.splitlines()]
        lines += [f"{number},{time},0,2,.,.,.,.,.,.,1.0" for time in times]
    return "\n".join(lines) + "\n"


def test_twelve_regimens_are_their_closed_forms(tmp_path: Path) -> None:
    found = seen(tmp_path, table_of_regimens(), ("Body", "level"))
    for number, (name, (_, times, parts)) in enumerate(REGIMENS.items(), start=1):
        rows = found[(found["id"] == str(number)) & (found["evid"] == 0)]
        expected = [sum(part(time) for part in parts) for time in times]
        if name == "for ever, later":
            assert rows["Body"].iloc[0] < 200, "a steady state cancels what was given before"
        np.testing.assert_allclose(rows["Body"], expected, rtol=1e-6, err_msg=name)
        np.testing.assert_allclose(rows["level"], np.array(expected) / V, rtol=1e-6, err_msg=name)


def test_rows_of_one_time_go_by_their_order(tmp_path: Path) -> None:
    rows = [
        "1,0,0,2,.,.,.,.,.,.,0",
        "1,0,1,2,10,.,.,24,1,.,.",
        "1,0,0,2,.,.,.,.,.,.,10",
        "1,24,0,2,.,.,.,.,.,.,1",
        "1,48,0,2,.,.,.,.,.,.,1",
        "1,48,1,2,5,.,.,.,.,.,.",
        "1,48,0,2,.,.,.,.,.,.,1",
        "1,72,1,2,7,.,.,24,1,.,.",
        "1,96,0,2,.,.,.,.,.,.,1",
        "1,96,1,2,3,.,.,24,2,.,.",
        "1,96,0,2,.,.,.,.,.,.,1",
        "1,120,0,2,.,.,.,.,.,.,1",
    ]
    body = seen(tmp_path, "\n".join([HEAD, *rows]))["Body"]
    day = np.exp(-K)
    # The further dose of 24 h comes before the row of that time.
    expected = [0, 10, 10, 10 * day + 10, (10 * day + 10) * day, (10 * day + 10) * day + 5, (10 * day + 10) * day + 5]
    third = expected[-1] * day + 7
    # The further dose of 72 h comes before the first row of 96 h, the dose of that time after it.
    fourth = third * day + 7
    expected += [third, fourth, fourth + 3, fourth + 3, (fourth + 3) * day + 3]
    np.testing.assert_allclose(body, expected, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize(
    ("rule", "weights", "exponents"),
    [
        # What holds between rows at 0, 1 and 2 days, and at the rows themselves.
        ("backward", [70, 140, 35], [0.0, 2.0, 2.5]),
        ("forward", [70, 140, 35], [0.0, 1.0, 3.0]),
        ("linear", [70, 140, 35], [0.0, 1.5, 2.75]),
    ],
)
def test_covariates_that_change(tmp_path: Path, rule: str, weights: list[float], exponents: list[float]) -> None:
    text = "ID,TIME,CMT,AMT,DV,wt\n1,0,2,10,.,70\n1,0,2,.,9,.\n1,1,2,.,5,140\n1,2,2,.,2,35\n"
    found = seen(tmp_path, text, ("Body", "cleared"), rule)
    body, cleared = found["Body"].to_numpy()[1:], found["cleared"].to_numpy()[1:]
    np.testing.assert_allclose(body, 10.0 * np.exp(-K * np.array(exponents)), rtol=1e-7)
    np.testing.assert_allclose(cleared, K * np.array(weights) / 70.0, rtol=1e-9)


def test_a_covariate_that_stays_is_a_value_of_the_person(tmp_path: Path) -> None:
    text = "ID,TIME,CMT,AMT,DV,WT [lb],STUDY,kk\n1,0,2,10,.,154.3236,7,1\n1,1,2,.,5,154.3236,7,1\n"
    table = read(tmp_path, text)
    assert table.covariates == ("WT",)
    assert any("STUDY, kk (Did you mean" in note for note in table.notes)
    body = simulate_subjects(oral(), table, ["Body"], threads=1)["Body"]
    np.testing.assert_allclose(body[1], 10 * np.exp(-K), rtol=1e-6)


def test_kinds_of_rows_follow_without_evid(tmp_path: Path) -> None:
    table = read(tmp_path, "ID,TIME,AMT,RATE,DV,MDV\na,0,10,.,.,1\na,1,.,.,3,0\na,2,.,.,.,1\na,3,.,.,4,1\n")
    records = table.subjects[0].records
    assert [record.evid for record in records] == [1, 0, 2, 2]
    assert records[0].state == "Gut" and records[1].value == 3.0 and np.isnan(records[3].value)
    assert any("Gut, the first compartment" in note for note in table.notes)


def test_a_reset_may_begin_time_anew(tmp_path: Path) -> None:
    rows = ["1,0,1,2,10,.,.,.,.,.,.", "1,9,0,2,.,.,.,.,.,.,1", "1,0,4,2,20,.,.,.,.,.,.", "1,12,0,2,.,.,.,.,.,.,1"]
    body = seen(tmp_path, "\n".join([HEAD, *rows]))["Body"]
    np.testing.assert_allclose(body[3], 20 * np.exp(-K / 2), rtol=1e-8)


REFUSED: dict[str, tuple[str, str, str]] = {
    "no such state": ("ID,TIME,AMT,CMT\n1,0,5,Gutt\n", "unknown-compartment", "Gut"),
    "no such number": ("ID,TIME,AMT,CMT\n1,0,5,3\n", "unknown-compartment", "1 to 2"),
    "rate by the model": ("ID,TIME,AMT,RATE\n1,0,5,-2\n", "bad-dose", "DUR"),
    "interval": ("ID,TIME,AMT,ADDL,II\n1,0,5,2,0\n", "bad-dose", "interval"),
    "steady without interval": ("ID,TIME,AMT,SS\n1,0,5,1\n", "bad-dose", "interval"),
    "steady state 3": ("ID,TIME,AMT,SS,II\n1,0,5,3,12\n", "bad-dose", "SS is 0, 1 or 2"),
    "negative": ("ID,TIME,AMT\n1,0,-5\n", "bad-dose", "not negative"),
    "rate and duration": ("ID,TIME,AMT,RATE,DUR\n1,0,5,1,2\n", "bad-dose", "not both"),
    "dose in an observation": ("ID,TIME,EVID,AMT\n1,0,0,5\n", "dose-in-observation", "Is EVID 1?"),
    "no such kind": ("ID,TIME,EVID\n1,0,7\n", "bad-evid", "reset and dose"),
    "time goes back": ("ID,TIME,DV\n1,2,5\n1,1,5\n", "time-goes-back", "1 after 2"),
    "people mixed": ("ID,TIME,DV\n1,2,5\n2,1,5\n1,3,5\n", "split-person", "sort"),
    "clock times": ("ID,TIME,DV\n1,08:30,5\n", "bad-number", "decimal"),
    "dates": ("ID,TIME,DATE,DV\n1,2,2020,5\n", "unsupported", "DATE"),
    "censored": ("ID,TIME,DV,CENS\n1,2,5,1\n", "censored-value", "MDV"),
    "no time": ("ID,AMT\n1,5\n", "missing-column", "TIME"),
    "twice": ("ID,TIME,DUR,TINF\n1,5,1,1\n", "duplicate-column", "TINF"),
    "a wrong unit": ("ID,TIME [mg],AMT\n1,5,1\n", "wrong-unit", "day"),
    "an impossible weight": ("ID,TIME,WT\n1,0,-3\n", "impossible-value", "WT"),
}


@pytest.mark.parametrize("case", list(REFUSED))
def test_what_is_refused(tmp_path: Path, case: str) -> None:
    text, kind, words = REFUSED[case]
    with pytest.raises(BetapodError) as error:
        read(tmp_path, text)
    assert kind in error.value.kinds and words in str(error.value)


def test_everything_that_is_wrong_is_said_at_once_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        read(tmp_path, "ID,TIME,AMT,CMT,RATE\n1,0,5,Gutt,.\n1,x,5,1,.\n1,2,5,1,-9\n")
    places = [(problem.location.line, problem.location.column) for problem in error.value.problems]
    assert places == [(2, 7), (3, 3), (4, 9)]


def test_clocks_in_rates_begin_at_zero(tmp_path: Path) -> None:
    text = "dA/dt = -k*A*t/day_long [mg/day] amount\nA(0) = first [mg] amount"
    rows = ParameterTable(
        [Parameter("k", "", 1.0, "1/day"), Parameter("day_long", "", 1.0, "day"), Parameter("first", "", 1.0, "mg")]
    )
    clock: Any = assemble("clock", [Part.from_text("Clock", text)], rows)
    file = tmp_path / "data.csv"
    file.write_text("ID,TIME,DV\n1,3,1\n")
    with pytest.raises(ConfigError, match="begin at time 0"):
        simulate_subjects(clock, read_nonmem_table(file, clock))


def with_weight() -> Model:
    """The model with its weight as an input, which a schedule may change."""
    return with_inputs(oral(), ["WT"])


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    model = with_weight()
    schedule = Schedule(
        [
            Dose("Gut", 100.0, 0.0, 1.0, 3, ss=True),
            Dose("Body", 30.0, 0.5, 2.0, 1, duration=0.25),
            Dose("Body", 8.0, 3.0),
        ],
        [Switch("WT", 100.0, 1.25)],
    )
    times = [0.0, 0.3, 1.0, 1.5, 3.0, 6.0]
    course = simulate(model, times, schedule, rtol=1e-9, outputs=["level", "Gut"]).table
    person = WrittenSubject(
        "7", schedule, times, {name: course[name].tolist() for name in ("level", "Gut")}, {"V": 20.0}
    )
    text = nonmem_text(model, [person])
    table = read_nonmem_table(_kept(tmp_path / "out.csv", text), model)
    found = simulate_subjects(model, table, ["level", "Gut"], threads=1)
    records = table.subjects[0].records
    for number, name in enumerate(("level", "Gut"), start=1):
        rows = [k for k, record in enumerate(records) if record.measured == str(number) and record.evid == 0]
        np.testing.assert_allclose([records[k].time for k in rows], times)
        np.testing.assert_allclose([records[k].value for k in rows], course[name], rtol=1e-12)
        np.testing.assert_allclose(found[name].to_numpy()[rows], course[name], rtol=2e-7, atol=1e-9)


def _kept(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_what_a_data_set_has_no_place_for_is_refused() -> None:
    person = WrittenSubject("7", Schedule((), [Switch("WT", 100.0, 1.0, 2.0)]), [0.0], {}, {})
    with pytest.raises(ConfigError, match="gradual"):
        nonmem_text(with_weight(), [person])

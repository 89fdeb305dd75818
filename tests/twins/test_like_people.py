"""People who are like one person: closeness, refusals with the nearest value, missing labs, drugs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

import betapod
from betapod.base.errors import ConfigError
from betapod.observables.table import observables
from betapod.twins.like_people import (
    LEAST,
    LikePeople,
    conditioned,
    errorless_labs,
    lab_spread,
    like_people,
    nearest_people,
    quantiles_by_weight,
)
from betapod.twins.option_labs import labs_from_options
from betapod.twins.person_labs import LabValue, PersonLabs, UsedLab

DOCTOR = {"age": 61, "egfr": 52, "uacr": 380, "hba1c": 8.4}


def like(values: Mapping[str, float | str], sex: str = "male", **more: tuple[str, ...]) -> LikePeople:
    return like_people(betapod.load_library(), labs_from_options(values, sex, "2"), **more)


def test_the_nephrologists_patient_has_people_like_them() -> None:
    people = like(DOCTOR, takes=("acei",), takes_not=("sglt2i",))
    table = betapod.load_library().table
    assert people.effective >= LEAST and people.weights.sum() == pytest.approx(1.0)
    chosen = people.weights > 0
    assert (table["acei"][chosen] == 1).all() and (table["sglt2i"][chosen] == 0).all()
    assert (table["female"][chosen] == 0).all() and (table["T1D"][chosen] == 0).all()
    # Between the labs of the person and the library, near the former.
    for name, (value, median, low, high) in people.labs.items():
        assert low < value < high and low < median < high, name
    assert abs(np.log(people.labs["egfr"][1] / 52)) < 0.12
    assert "sglt2i" not in people.drugs and people.drugs["metformin"] > 0.1


def test_missing_labs_widen_the_answer() -> None:
    table = betapod.load_library().table
    fewer, more = like({"age": 61, "egfr": 52}), like(DOCTOR)

    def spread(people: LikePeople) -> float:
        log = np.log(table["true_uacr"].to_numpy())
        mean = np.sum(people.weights * log)
        return float(np.sqrt(np.sum(people.weights * (log - mean) ** 2)))

    assert spread(fewer) > 1.3 * spread(more)
    assert fewer.widened <= more.widened and set(fewer.labs) == {"age", "egfr"}


def test_the_same_labs_give_the_same_people() -> None:
    assert np.array_equal(like(DOCTOR).weights, like(DOCTOR).weights)


def test_too_few_people_are_refused_with_the_nearest_value() -> None:
    with pytest.raises(ConfigError) as error:
        like({"age": 25, "egfr": 9, "hba1c": 12.0})
    problem = error.value.problems[0]
    assert problem.kind == "too-few-people" and "effective people" in problem.found
    assert "nearest value that is supported" in problem.hint or "No single lab" in problem.hint


def test_the_nearest_value_is_supported_itself() -> None:
    labs = {"age": 61, "uacr": 60000.0, "egfr": 110.0}
    with pytest.raises(ConfigError) as error:
        like(labs)
    hint = error.value.problems[0].hint
    assert "UACR" in hint
    nearest = float(hint.partition("other labs is ")[2].split()[0])
    assert 0 < nearest < 60000
    # Printed with three digits, so that a per cent less is asked for.
    assert like({**labs, "uacr": 0.97 * nearest}).effective >= LEAST


def test_more_measurements_are_trusted_more() -> None:
    def of(count: int) -> PersonLabs:
        return PersonLabs(60, 0, "2", {"uacr": UsedLab(100.0, count, LabValue("uacr", 100.0, "100"))})

    assert lab_spread(of(1), "uacr") == pytest.approx(np.hypot(observables()["UACR"].relative_error, 0.2))
    assert lab_spread(of(3), "uacr") < 0.7 * lab_spread(of(1), "uacr")


def test_bmi_counts_rather_than_weight() -> None:
    labs = labs_from_options({"age": 60, "weight": 88, "height": 175})
    assert conditioned(labs) == ("age", "bmi")


def test_law_a_lab_that_is_missing_widens_the_answer_on_it() -> None:
    """People of the library themselves, measured once: whichever lab nobody tells, the people who are like them differ more in it."""
    library = betapod.load_library()
    table = library.table
    grown = np.flatnonzero(
        (table["segment"] == 0) & (table["diabetes"] == 1) & (table["T1D"] == 0) & (table["age"] > 40)
    )
    names = {"egfr": "egfr", "uacr": "uacr", "hba1c": "hba1c", "sbp": "sbp"}
    wider = []
    for row in grown[:: len(grown) // 6]:
        values = {name: float(table[column].iloc[row]) for name, column in names.items()}
        values["age"] = float(table["age"].iloc[row])

        def spread(told: dict[str, float], name: str) -> tuple[float, float]:
            weights, effective, _ = nearest_people(library, labs_from_options(told, "", "2"))
            low, high = quantiles_by_weight(np.log(errorless_labs(table, name)), weights, (0.05, 0.95))
            return high - low, effective

        for name in names:
            without, others = spread({key: value for key, value in values.items() if key != name}, name)
            known, effective = spread(values, name)
            if min(others, effective) >= LEAST:
                wider.append(without / known)
    # Whom too few are like is refused, and has no answer that could be wide.
    assert len(wider) >= 12 and min(wider) > 1.0 and np.mean(wider) > 1.3


def test_ages_of_one_person_are_no_more_people() -> None:
    people = like(DOCTOR, takes=("acei",))
    rows = 1.0 / float(np.sum(people.weights**2))
    assert people.effective < 0.7 * rows

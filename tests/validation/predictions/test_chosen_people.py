"""People of cohorts that come with the package: those that would be chosen today."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from betapod.evidence.records.registry import load_registry
from betapod.patients import library
from betapod.patients.cohorts import reweight
from betapod.validation.predictions import chosen_people, study_people
from betapod.validation.predictions.row_expectations import usual_choices
from betapod.validation.predictions.studies import packaged_cohorts


def test_every_cohort_of_the_package_is_kept() -> None:
    """Where this fails, `python benchmarks/ship_cohorts.py` writes the file anew."""
    assert chosen_people.is_up_to_date(usual_choices(load_registry()), packaged_cohorts())


@pytest.mark.parametrize("choice", [("Packham", 60, 1), ("DCCT trial", 300, 1), ("IRMA-2", 300, 1)])
def test_kept_people_are_those_that_would_be_chosen(choice: chosen_people.Choice) -> None:
    cohort, count, seed = choice
    target = packaged_cohorts()[cohort]
    selected = reweight.select_patients(library.default(), target, count, seed)
    kept = chosen_people.chosen_before(choice, target)
    np.testing.assert_array_equal(kept, selected.index)
    np.testing.assert_array_equal(study_people.people(*choice).table["person"], selected.table["person"])


def test_another_baseline_number_or_seed_is_chosen_anew() -> None:
    target = packaged_cohorts()["IRMA-2"]
    assert chosen_people.chosen_before(("IRMA-2", 300, 1), target) is not None
    moved = replace(target.moments[0], value=1.01 * target.moments[0].value)
    other = replace(target, moments=[moved, *target.moments[1:]])
    assert chosen_people.chosen_before(("IRMA-2", 300, 1), other) is None
    assert chosen_people.chosen_before(("IRMA-2", 300, 2), target) is None
    assert chosen_people.chosen_before(("IRMA-2", 299, 1), target) is None

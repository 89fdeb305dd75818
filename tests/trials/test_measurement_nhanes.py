"""The error of one UACR against real people examined twice: regression to the mean after a chance high value."""

from pathlib import Path

import numpy as np
import pytest

from betapod.base.constants import GLUCOSE_MG_DL
from betapod.observables.quantities import visit_observables

FILE = Path(__file__).parents[3] / "shared" / "data" / "nhanes" / "nhanes_repeat_exam_2001_2002.csv"


@pytest.fixture(scope="module")
def pairs():
    if not FILE.exists():
        pytest.skip("the repeated examinations of NHANES 2001-2002 are not beside the repository")
    pandas = pytest.importorskip("pandas")
    return pandas.read_csv(FILE)


@pytest.mark.parametrize(
    ("code", "column"),
    [
        ("UACR", "uacr_mgg"),
        ("CREAT", "scr_mgdl"),
        ("HBA1C", "hba1c_pct"),
        ("BUN", "bun_mgdl"),
        ("FPG", "fpg_mgdl"),
        ("CPEP", "cpep_nmolL"),
    ],
)
def test_the_carried_variation_is_that_of_the_pairs(pairs, code, column):
    difference = np.log(pairs[f"{column}_2"] / pairs[f"{column}_1"]).dropna()
    # Of albuminuria a fit heard published numbers too.
    near = 0.15 if code == "UACR" else 0.05
    assert visit_observables()[code].relative_error == pytest.approx(np.sqrt(np.mean(difference**2) / 2), rel=near)


def falls(pairs, bound):
    """Return the fall of those above a bound beyond that of all, its standard error, and the fall that the carried error gives."""
    first, second = (np.log(pairs[f"uacr_mgg_{k}"]) for k in (1, 2))
    both = first.notna() & second.notna()
    first, second = first[both], second[both]
    chosen = first >= np.log(bound)
    fall = (second - first)[chosen] - (second - first).mean()
    # Noise variance over whole variance, times the distance from the mean.
    expected = -(visit_observables()["UACR"].relative_error ** 2) / first.var() * (first[chosen].mean() - first.mean())
    return fall.mean(), fall.std() / np.sqrt(chosen.sum()), expected


def test_people_with_albuminuria_fall_as_the_error_says(pairs):
    seen, error, expected = falls(pairs, 30.0)
    assert seen == pytest.approx(expected, abs=2 * error)
    assert expected < -0.2


def test_regression_to_the_mean_is_not_overstated(pairs):
    """From 10 mg/g on real people fall by 0.46, the log-normal error says 0.29: real errors have heavier tails."""
    for bound in (10.0, 20.0, 30.0, 60.0):
        seen, error, expected = falls(pairs, bound)
        assert abs(expected) < abs(seen) + 2 * error


def test_glucose_strays_less_in_people_without_diabetes(pairs):
    first, second = (pairs[f"fpg_mgdl_{k}"] / GLUCOSE_MG_DL for k in (1, 2))
    between = ((first + second) / 2).between(5.3, 7.0, inclusive="left")
    difference = np.log(second / first)[between].dropna()
    assert len(difference) == 73
    sd = visit_observables()["FPG"].error_in("prediabetes").sd
    assert sd == pytest.approx(np.sqrt(np.mean(difference**2) / 2), rel=0.01)
    assert sd < visit_observables()["FPG"].error.sd

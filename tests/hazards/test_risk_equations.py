"""Published risk equations: numbers that their own packages print, ranges, and missing values."""

from __future__ import annotations

import numpy as np
import pytest

from betapod.base.errors import ConfigError
from betapod.hazards.risk_equations.egfr_decline_equation import egfr_decline_range, egfr_decline_risk
from betapod.hazards.risk_equations.equation_people import EquationPeople
from betapod.hazards.risk_equations.kidney_coefficients import risk_coefficients
from betapod.hazards.risk_equations.kidney_failure_equation import kidney_failure_range, kidney_failure_risk

#: Printed by kfre 0.1.18: age, woman, eGFR, UACR, then 2 years in North America with 4, 6, 8 variables, elsewhere; the same for 5 years.
#: Diabetes and hypertension, albumin 4.0, phosphate 3.9, bicarbonate 25.6, calcium 9.35.
KFRE = [
    (55, 0, 45, 30, 0.006693, 0.006375, 0.007459, 0.004484, 0.004322, 0.005856, 0.020748, 0.019769, 0.024092, 0.017252, 0.016303, 0.026074),
    (60, 1, 30, 300, 0.068114, 0.064644, 0.053321, 0.046112, 0.044249, 0.042076, 0.197677, 0.188312, 0.163469, 0.167067, 0.157820, 0.175821),
    (70, 0, 20, 1000, 0.315897, 0.304077, 0.190494, 0.224355, 0.217694, 0.152773, 0.694337, 0.677545, 0.497617, 0.626103, 0.606133, 0.525627),
    (65, 0, 50, 100, 0.005301, 0.005085, 0.005608, 0.003551, 0.003447, 0.004402, 0.016458, 0.015791, 0.018153, 0.013680, 0.013019, 0.019651),
    (45, 1, 15, 2500, 0.742466, 0.725434, 0.482850, 0.596606, 0.583293, 0.403877, 0.985526, 0.982322, 0.883284, 0.970263, 0.963925, 0.902415),
    (75, 1, 59, 10, 0.000433, 0.000408, 0.000746, 0.000290, 0.000276, 0.000585, 0.001351, 0.001274, 0.002429, 0.001122, 0.001049, 0.002631),
    (61, 0, 35, 500, 0.061740, 0.059367, 0.044747, 0.041750, 0.040601, 0.035276, 0.180418, 0.173929, 0.138536, 0.152223, 0.145553, 0.149176),
]  # fmt: skip


def everybody() -> EquationPeople:
    age, female, egfr, uacr = np.array([row[:4] for row in KFRE], dtype=float).T
    return EquationPeople(
        age, female, egfr, uacr, diabetes=1, hypertension=1, albumin=4.0, phosphate=3.9, bicarbonate=25.6, calcium=9.35
    )


@pytest.mark.parametrize("column", range(12))
def test_kidney_failure_equals_the_numbers_of_its_own_package(column: int) -> None:
    years = (2, 5)[column // 6]
    region = ("North America", "elsewhere")[column // 3 % 2]
    risk = kidney_failure_risk(everybody(), years, (4, 6, 8)[column % 3], region)
    np.testing.assert_allclose(risk, [row[4 + column] for row in KFRE], rtol=0, atol=5.1e-7)


def test_kidney_failure_is_for_adults_with_reduced_filtration() -> None:
    people = EquationPeople(age=[50, 50, 12, 50], female=0, egfr=[59.9, 60.0, 40.0, np.nan], uacr=100)
    assert kidney_failure_range(people).tolist() == [True, False, False, False]


def test_more_albumin_less_filtration_more_years_mean_more_risk() -> None:
    uacr = np.array([0.0, 5.0, 50.0, 500.0, np.nan])
    risk = kidney_failure_risk(EquationPeople(60, 0, 40, uacr))
    assert np.isnan(risk[[0, 4]]).all() and (np.diff(risk[1:4]) > 0).all()
    egfr = kidney_failure_risk(EquationPeople(60, 0, np.linspace(10, 59, 8), 100))
    assert (np.diff(egfr) < 0).all()
    assert kidney_failure_risk(everybody(), 2)[0] < kidney_failure_risk(everybody(), 5)[0]


def test_eight_variables_need_all_of_them() -> None:
    assert np.isnan(kidney_failure_risk(EquationPeople(60, 0, 40, 100), variables=8))


def test_every_unknown_word_of_the_equation_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as error:
        kidney_failure_risk(everybody(), years=3, variables=5, region="North america")
    assert error.value.kinds == ("unknown-equation", "unknown-horizon", "unknown-region")
    assert "Did you mean 'North America'?" in str(error.value)


#: Own arithmetic on the coefficients: age, woman, eGFR, UACR, SBP, drugs for pressure, heart failure, coronary disease, atrial fibrillation, smoker,
#: ex-smoker, BMI, HbA1c, drugs for glucose, insulin, then % in three years.
DECLINE = [
    (60, 0, 85, 10, 130, 0, 0, 0, 0, 0, 0, 30, 7, 0, 0, 1.1947),
    (65, 1, 75, 300, 145, 1, 0, 0, 0, 0, 1, 32, 8.5, 1, 1, 14.1470),
    (55, 0, 95, 30, 130, 1, 0, 0, 0, 1, 0, 28, 9, 1, 0, 2.5927),
    (70, 0, 62, 1000, 150, 1, 1, 1, 1, 0, 1, 34, 7.5, 1, 1, 51.3489),
]
_DECLINE_FIELDS = (
    "age", "female", "egfr", "uacr", "sbp", "pressure_drugs", "heart_failure", "coronary_disease", "atrial_fibrillation",
    "smoker", "ex_smoker", "bmi", "hba1c", "oral_drugs", "insulin",
)  # fmt: skip


def test_decline_of_filtration_equals_the_check_values() -> None:
    columns = np.array(DECLINE).T
    people = EquationPeople(**dict(zip(_DECLINE_FIELDS, columns, strict=False)), diabetes=1)
    np.testing.assert_allclose(100 * egfr_decline_risk(people), columns[-1], rtol=0, atol=5.1e-5)
    assert egfr_decline_range(people).all()


def test_decline_counts_insulin_as_a_drug_for_glucose() -> None:
    columns = dict(zip(_DECLINE_FIELDS, DECLINE[1], strict=False))
    assert egfr_decline_risk(EquationPeople(**{**columns, "oral_drugs": 0})) == egfr_decline_risk(
        EquationPeople(**columns)
    )


def test_decline_is_for_diabetes_with_kept_filtration() -> None:
    people = EquationPeople(
        age=[50, 50, 85, 50, 50], female=0, egfr=[60, 59, 80, 80, 80], uacr=30, bmi=[25, 25, 25, 19, 25], diabetes=[1, 1, 1, 1, 0]
    )  # fmt: skip
    assert egfr_decline_range(people).tolist() == [True, False, False, False, False]


def test_every_coefficient_says_where_it_comes_from() -> None:
    from betapod.physiology import whole_body

    known = whole_body.bibliography_keys()
    for rows in risk_coefficients().values():
        for row in rows.values():
            assert row.grade in ("A", "B", "C", "D") and row.locator and row.unit
            assert set(row.source.split(";")) <= set(known), row

"""The mixed model of repeated measures: SAS, nlme, an ordinary maximiser, derivatives by differences, and batches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from golden_files import golden_table

from betapod.base.errors import ConfigError
from betapod.trials.analysis.covariance_structures import STRUCTURES, first_guess, structure_of
from betapod.trials.analysis.mixed_model import fit_mmrm
from betapod.trials.analysis.mmrm import mmrm
from betapod.trials.analysis.restricted_likelihood import restricted_likelihood
from betapod.trials.analysis.visit_patterns import pattern_sums


@pytest.fixture(scope="module")
def fev() -> dict[str, np.ndarray]:
    """FEV1 of 200 simulated patients at four visits (R package mmrm, Apache-2.0)."""
    table = golden_table("mmrm/mmrm_fev_data.csv")
    wide = table.pivot(index="USUBJID", columns="AVISIT", values="FEV1")
    people = table.groupby("USUBJID").first().loc[wide.index]
    return {
        "values": wide.to_numpy(float),
        "treated": (people.ARMCD == "TRT").to_numpy(float),
        "female": (people.SEX == "Female").to_numpy(float),
        "black": (people.RACE == "Black or African American").to_numpy(float),
        "white": (people.RACE == "White").to_numpy(float),
    }


#: -2 restricted log likelihood, and standard error and degrees of freedom of the arm after Kenward and Roger: SAS 9.4 PROC MIXED, FEV1 = ARMCD,
#: ddfm=kenwardroger (repository openpharma/mmrm, design/KR, design/ddfm_covtype and tests/testthat/test-kenwardroger.R).
SAS = {
    "unstructured": (3667.96276376, 0.66124382270307, 160.733266403768),
    "AR(1)": (3855.12433951, 0.95865439662225, 188.46934887972),
    "heterogeneous AR(1)": (3715.28043805, 0.7590316099633, 188.225339095373),
    "compound symmetry": (3890.97896859, 0.7964696053595, 177.038485931223),
    "heterogeneous compound symmetry": (3754.18491472, 0.67414806011886, 190.737701349941),
    "Toeplitz": (3830.79965777, 0.87839805519623, 160.027408337368),
    "heterogeneous Toeplitz": (3693.28667094, 0.72543828853831, 180.062730071701),
}


@pytest.mark.parametrize("structure", SAS)
def test_kenward_and_roger_as_in_sas(fev: dict[str, np.ndarray], structure: str) -> None:
    """SAS stops up to 1e-5 above the minimum, which moves its standard errors by up to 1e-4 and degrees of freedom by up to 4e-4 of them."""
    minus_two, error, degrees = SAS[structure]
    fit = fit_mmrm(fev["values"], [], [np.ones(200), fev["treated"]], structure)
    assert minus_two - 2e-5 < -2 * fit.log_likelihood[0] < minus_two + 1e-8
    estimate = fit.estimate([0.0, 1.0])
    assert estimate.standard_error[0] == pytest.approx(error, rel=2e-4)
    assert estimate.degrees[0] == pytest.approx(degrees, rel=5e-4)
    # Where SAS came to the minimum, the digits agree.
    if structure in ("AR(1)", "compound symmetry"):
        assert estimate.standard_error[0] == pytest.approx(error, abs=1e-6)
        assert estimate.degrees[0] == pytest.approx(degrees, abs=1e-3)


#: nlme gls, corSymm within patients and varIdent by visit, REML; coefficients but for those of other visits than the first and the last.
GLS = {"black": 1.53061079629, "white": 5.64354270153, "female": 0.32599897318, "first": 30.77743866129}
GLS_ARM, GLS_LAST, GLS_LIKELIHOOD = 3.77436180572, 0.62418561390, -1693.22493584
GLS_ERRORS = (0.6244544847, 0.6655845672, 0.5319317914, 0.8865560493, 1.0741464265, 1.8509401948)
GLS_COVARIANCE = np.array(
    [
        [40.553375573, 14.395372042, 4.975205558, 13.3808832941],
        [14.395372042, 26.570811504, 2.782921726, 7.4770094493],
        [4.975205558, 2.782921726, 14.8981590656, 0.9042443032],
        [13.3808832941, 7.477009449, 0.9042443032, 95.5594946184],
    ]
)


def test_at_the_covariance_of_nlme_all_numbers_are_those_of_nlme(fev: dict[str, np.ndarray]) -> None:
    """Coefficients, standard errors and likelihood at one covariance are linear algebra, and agree to all printed digits."""
    fit = fit_mmrm(fev["values"], *_columns(fev))
    z = np.stack([fev["black"], fev["white"], fev["female"], np.ones(200), fev["treated"]], -1)[None]
    allowed = np.zeros((20, 11))
    for v in range(4):
        for j in range(5):
            allowed[5 * v + j, j if j < 3 else 3 + 2 * v + j - 3] = 1.0
    sums = pattern_sums(fev["values"][None], z, allowed)
    theta = GLS_COVARIANCE[np.tril_indices(4)] / sums.scale**2
    there = restricted_likelihood(sums, structure_of("unstructured", 4), theta[None])
    effects = (sums.ordinary + sums.scale * there.coefficients)[0]
    spread = there.spread[0] * sums.scale[0] ** 2
    contrasts = np.zeros((6, 11))
    contrasts[[0, 1, 2, 3, 4], [0, 1, 2, 3, 4]] = 1.0
    contrasts[5, [10, 4]] = 1.0, -1.0
    np.testing.assert_allclose(contrasts @ effects, [*GLS.values(), GLS_ARM, GLS_LAST], atol=2e-9)
    errors = np.sqrt(np.einsum("cp,pq,cq->c", contrasts, spread, contrasts))
    np.testing.assert_allclose(errors, GLS_ERRORS, atol=2e-9)
    likelihood = -there.value[0] / 2 - (537 - 11) * np.log(sums.scale[0])
    assert likelihood == pytest.approx(GLS_LIKELIHOOD, abs=1e-8)
    # The maximum lies 2.6e-7 higher, and coefficients there differ by up to 7e-5: nlme stopped before it.
    assert GLS_LIKELIHOOD < fit.log_likelihood[0] < GLS_LIKELIHOOD + 1e-6
    np.testing.assert_allclose(contrasts @ fit.coefficients[0], contrasts @ effects, atol=1e-4)
    np.testing.assert_allclose(fit.visits[0], GLS_COVARIANCE, atol=5e-3)


def _columns(fev: dict[str, np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    return [np.ones(200), fev["treated"]], [fev["black"], fev["white"], fev["female"]]


def test_satterthwaite_as_in_sas(fev: dict[str, np.ndarray]) -> None:
    """SAS PROC MIXED, ddfm=satterthwaite (openpharma/mmrm, design/SAS/sas_log_reml.txt), to the digits that it prints."""
    fit = fit_mmrm(fev["values"], *_columns(fev))
    assert -2 * fit.log_likelihood[0] == pytest.approx(3386.44987722, abs=1e-5)
    rows = {0: (1.5305, 0.6244, 169), 1: (5.6436, 0.6656, 157), 2: (0.3262, 0.5319, 166), 3: (30.7774, 0.8865, 219)}
    rows |= {4: (3.7745, 1.0741, 146)}
    for k, (effect, error, degrees) in rows.items():
        estimate = fit.estimate(np.eye(11)[k], "Satterthwaite")
        # SAS is 6e-6 above the minimum: its coefficients are 2e-4 off.
        assert estimate.effect[0] == pytest.approx(effect, abs=3e-4)
        assert estimate.standard_error[0] == pytest.approx(error, abs=1.1e-4)
        assert round(float(estimate.degrees[0])) == degrees


def trial(seed: int, replicates: int = 3, n: int = 60, visits: int = 3) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    treated = np.broadcast_to(np.arange(n) % 2.0, (replicates, n))
    base = random.normal(60, 15, (replicates, n))
    course = random.normal(0, 3, (replicates, n, 1)) + random.normal(0, 2, (replicates, n, visits)).cumsum(-1)
    values = 0.5 * base[..., None] + course + treated[..., None]
    values[random.random(values.shape) < 0.15] = np.nan
    return {"values": values, "baseline": base, "treated": treated}


@pytest.mark.parametrize("structure", STRUCTURES)
def test_derivatives_of_structures_and_likelihood(structure: str) -> None:
    """Gradient and curvature are those of differences of the value."""
    data = trial(1, replicates=2)
    z = np.stack([np.ones((2, 60)), data["treated"], (data["baseline"] - 60) / 15], -1)
    sums = pattern_sums(data["values"], z, None)
    form = structure_of(structure, 3)
    covariance = np.array([[1.0, 0.6, 0.4], [0.6, 1.3, 0.7], [0.4, 0.7, 1.9]])
    theta = np.broadcast_to(first_guess(form, covariance), (2, form.count)) * 1.0
    here = restricted_likelihood(sums, form, theta)
    h, slopes, bends = 1e-5, form.first(theta), form.second(theta)
    for k in range(form.count):
        step = h * np.eye(form.count)[k]
        more, less = (restricted_likelihood(sums, form, theta + sign * step) for sign in (1, -1))
        np.testing.assert_allclose((more.value - less.value) / (2 * h), here.gradient[:, k], rtol=1e-5, atol=1e-5)
        difference = (more.gradient - less.gradient) / (2 * h)
        np.testing.assert_allclose(difference, here.curvature[:, k], rtol=1e-5, atol=1e-4)
        apart = (form.matrix(theta + step) - form.matrix(theta - step)) / (2 * h)
        np.testing.assert_allclose(apart, slopes[:, k], atol=1e-8)
        if bends is not None:
            apart = (form.first(theta + step) - form.first(theta - step)) / (2 * h)
            np.testing.assert_allclose(apart, bends[:, k], atol=1e-7)


@pytest.mark.parametrize("adjustment", ["Satterthwaite", "Kenward-Roger"])
def test_a_replicate_of_the_mixed_model_does_not_depend_on_its_neighbours(adjustment: Any) -> None:
    data = trial(2, replicates=4)
    strata = np.random.default_rng(0).integers(0, 2, (4, 60))
    strata[1] = 0  # a stratum that this replicate lacks costs it nothing
    together = mmrm(**data, strata=strata, adjustment=adjustment)
    for k in range(4):
        alone = mmrm(*(column[k] for column in data.values()), strata=strata[k], adjustment=adjustment)
        for name, value in together.at(k).items():
            assert value == pytest.approx(alone.at(0)[name], rel=1e-7), name


def test_two_parameter_structures_at_two_visits_are_one() -> None:
    data = trial(3, visits=2)
    estimates = [mmrm(**data, structure=name) for name in ("compound symmetry", "AR(1)", "Toeplitz")]
    for other in estimates[1:]:
        np.testing.assert_allclose(other.effect, estimates[0].effect, rtol=1e-8)
        np.testing.assert_allclose(other.degrees, estimates[0].degrees, rtol=1e-6)
    wide = [mmrm(**data, structure=name) for name in ("unstructured", "heterogeneous AR(1)", "heterogeneous Toeplitz")]
    for other in wide[1:]:
        np.testing.assert_allclose(other.p, wide[0].p, rtol=1e-6)


def test_kenward_and_roger_is_ancova_where_no_visit_is_missing() -> None:
    """With an unstructured covariance and full data the coefficients do not depend on it, and nothing is added."""
    data = trial(4)
    data["values"] = np.where(np.isfinite(data["values"]), data["values"], 20.0)
    plain, adjusted = (mmrm(**data, adjustment=name) for name in ("Satterthwaite", "Kenward-Roger"))
    np.testing.assert_allclose(adjusted.standard_error, plain.standard_error, rtol=1e-8)
    np.testing.assert_allclose(plain.degrees, 60 - 3, rtol=1e-8)


def test_an_arm_that_nobody_stays_in_has_no_estimate() -> None:
    data = trial(5)
    data["values"][0, data["treated"][0] > 0.5, 2] = np.nan
    estimate = mmrm(**data, structure="AR(1)")
    assert np.isnan(estimate.effect[0]) and np.isfinite(estimate.effect[1:]).all()


def test_wrong_names_and_shapes_of_mixed_models_are_refused() -> None:
    data = trial(6)
    with pytest.raises(ConfigError, match="unknown-structure"):
        mmrm(**data, structure="toeplitz h")
    with pytest.raises(ConfigError, match="unknown-adjustment"):
        mmrm(**data, adjustment="Kenward")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="wrong-shape"):
        mmrm(data["values"], data["baseline"][:, :-1], data["treated"])
    with pytest.raises(ConfigError, match="wrong-shape"):
        mmrm(data["values"][0, :, 0], data["baseline"][0], data["treated"][0])

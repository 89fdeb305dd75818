"""NHANES: the derived profile against the data, and the reader of its transport files."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xport

from betapod.base.errors import ConfigError
from betapod.patients.cohorts import nhanes, nhanes_files

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data" / "nhanes" / "nhanes_adults_1999_2016.parquet"


def _module(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def adults() -> Any:
    if not DATA.is_file():
        pytest.skip(f"the NHANES table is not beside the repository: {DATA.name}")
    return _script().adults_with_diabetes(str(DATA))


def _script() -> Any:
    return _module(ROOT / "benchmarks" / "patients" / "derive_nhanes.py")


def test_profile_is_what_the_data_give(adults: Any) -> None:
    for half, parity in (("calibration", 1), ("test", 0)):
        assert _script().with_diabetes(adults[adults["cycle"] % 2 == parity]) == nhanes.profile()[half]


def test_histories_are_the_regressions_on_the_calibration_half(adults: Any) -> None:
    """Odds of cardiovascular disease and heart failure are those of the rows."""
    from scipy.optimize import minimize

    from betapod.hazards.risk import hazard_values
    from betapod.patients.population import population_constant

    half = adults[(adults["cycle"] % 2 == 1)].dropna(subset=["egfr", "uacr"])
    told = [half[name].to_numpy() == 1 for name in ("chd", "angina", "mi", "stroke")]
    cvd, hf = np.any(told, axis=0).astype(float), (half["chf"] == 1).to_numpy(dtype=float)
    weight = half["survey_weight"].to_numpy() / half["survey_weight"].mean()
    age, one = half["age"].to_numpy() - 65.0, np.ones(len(half))
    low = np.maximum(60.0 - half["egfr"].to_numpy(), 0.0) / 10.0
    leak = np.log(np.clip(half["uacr"].to_numpy(), 3.0, 3000.0) / 10.0)

    def fitted(y: Any, columns: list[Any]) -> Any:
        X = np.column_stack(columns)
        return minimize(lambda b: np.sum(weight * (np.logaddexp(0.0, X @ b) - y * (X @ b))), np.zeros(X.shape[1])).x

    male = 1.0 - half["female"].to_numpy()
    found = fitted(cvd, [one, age, male])
    np.testing.assert_allclose(found, [hazard_values()[f"cvd_{n}"] for n in ("logit_65", "age", "male")], atol=0.01)
    # Sex added nothing to heart failure (-0.01) and is left out.
    found = np.delete(fitted(hf, [one, age, male, cvd, low, leak]), 2)
    names = ("log_odds", "per_year", "with_cvd", "per_egfr", "per_uacr")
    np.testing.assert_allclose(found, [population_constant(f"hf_{name}") for name in names], atol=0.01)


def test_pulse_pressure_is_the_regression_on_the_calibration_half(adults: Any) -> None:
    from betapod.observables.formulas import coefficient

    half = adults[(adults["cycle"] % 2 == 1) & (adults["n_bp"] >= 1)].dropna(subset=["sbp", "dbp_mmhg"])
    pulse = half["sbp"] - half["dbp_mmhg"]
    half, pulse = half[pulse > 10], pulse[pulse > 10]
    MAP = half["dbp_mmhg"] + pulse / 3
    age = half["age"] - 60.0
    columns = np.column_stack([np.ones(len(half)), age, age**2, MAP - 93.0, half["female"]])
    root = np.sqrt(half["survey_weight"].to_numpy())
    found = np.linalg.lstsq(columns * root[:, None], np.log(pulse.to_numpy()) * root, rcond=None)[0]
    wanted = [coefficient(name) for name in ("pp_log", "pp_age", "pp_age2", "pp_map", "pp_female")]
    np.testing.assert_allclose(found, wanted, rtol=0.01)


def _files(folder: Path, cycle: str) -> None:
    nothing = float("nan")
    seqn = [1.0, 2.0, 3.0, 4.0]
    demo = {"RIDAGEYR": [60, 45, 19, 70], "RIAGENDR": [2, 1, 1, 1], "WTMEC2YR": [1000, 2000, 1, 500]}
    demo |= {"RIDSTATR": [2, 2, 2, 2], "RIDEXPRG": [nothing] * 4}
    xport.write(folder / f"DEMO{cycle}.XPT", {"SEQN": seqn, **demo})
    diq = {"DIQ010": [1, 2, 1, 2], "DID040": [50, nothing, 10, nothing], "DIQ050": [2, 2, 1, 2]}
    xport.write(folder / f"DIQ{cycle}.XPT", {"SEQN": seqn, **diq})
    ghb, urine = ("GHB", "ALB_CR") if cycle == "_I" else ("L10", "L16")
    xport.write(folder / f"{ghb}{cycle}.XPT", {"SEQN": seqn, "LBXGH": [7.5, 6.6, 9.0, 5.2]})
    xport.write(folder / f"{urine}{cycle}.XPT", {"SEQN": seqn[:2], "URXUMA": [20.0, 5.0], "URXUCR": [100.0, 50.0]})
    glucose = {"LBXGLU": [150.0, 130.0], "WTSAF2YR": [3000.0, 0.0]}
    xport.write(folder / f"{'GLU' if cycle == '_I' else 'L10AM'}{cycle}.XPT", {"SEQN": seqn[:2], **glucose})
    pressure = {f"BPX{k}{i}": [120.0 + i, 130.0] for k in ("SY", "DI") for i in (1, 2, 3, 4)}
    xport.write(folder / f"BPX{cycle}.XPT", {"SEQN": seqn[:2], **pressure})
    drugs = {"SEQN": [1.0, 1.0, 2.0], "RXDDRUG": ["METFORMIN", "LISINOPRIL", "ASPIRIN"]}
    xport.write(folder / f"RXQ_RX{cycle}.XPT", drugs)


def test_transport_files_of_a_cycle(tmp_path: Path) -> None:
    _files(tmp_path, "_I")
    people = nhanes_files.read_folder(tmp_path).set_index("SEQN")
    assert list(people.index) == [1.0, 2.0]
    assert list(people["diagnosed"]) == [1.0, 0.0]
    assert list(people["female"]) == [1.0, 0.0]
    assert people.loc[1, "duration"] == 10
    assert np.isnan(people.loc[2, "duration"])
    assert people.loc[1, "uacr"] == pytest.approx(20.0)
    assert people.loc[1, "fpg"] == pytest.approx(150 / 18.0156)
    assert np.isnan(people.loc[2, "fpg"])
    assert people.loc[1, "sbp"] == 123.0
    assert people.loc[1, ["metformin", "acei", "arb"]].tolist() == [1.0, 1.0, 0.0]
    assert np.isnan(people.loc[1, "egfr"])


def test_older_cycles_are_carried_over_and_weights_shared(tmp_path: Path) -> None:
    _files(tmp_path, "_I")
    _files(tmp_path, "_B")
    people = nhanes_files.read_folder(tmp_path)
    old = people[(people["cycle"] == "B") & (people["SEQN"] == 1)].iloc[0]
    assert old["uacr"] == pytest.approx(100 * 20 / (1.05 * 10 - 0.74) ** 2)
    assert old["fpg"] == pytest.approx((1.023 * (0.9815 * 150 + 3.5707 + 1.148) - 0.5108) / 18.0156)
    assert old["survey_weight"] == 500.0


def test_missing_and_broken_files(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no-files"):
        nhanes_files.read_folder(tmp_path)
    _files(tmp_path, "_I")
    (tmp_path / "GHB_I.XPT").unlink()
    with pytest.raises(ConfigError, match="cycle I has no GHB file"):
        nhanes_files.read_folder(tmp_path)
    (tmp_path / "GHB_I.XPT").write_bytes(b"nothing of the kind")
    with pytest.raises(ConfigError, match="not-xpt"):
        nhanes_files.read_folder(tmp_path)
    xport.write(tmp_path / "GHB_I.XPT", {"SEQN": [1.0], "OTHER": [2.0]})
    with pytest.raises(ConfigError, match="missing-column"):
        nhanes_files.read_folder(tmp_path)

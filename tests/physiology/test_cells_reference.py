"""Reference values of cell kinetics and host programmes, to the printed digits; computed independently of this code."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from betapod.engine.schedule import Dose, Schedule
from betapod.engine.scipy.reference import simulate_by_reference as simulate
from betapod.physiology import whole_body
from betapod.physiology.cells.routes import ORGANS
from betapod.physiology.hand_tuned import hand_tuned
from betapod.therapies import cell_parameters

COLUMNS = [
    "N_L",
    "N_H",
    "N_K",
    "N_P",
    "d1",
    "d3",
    "d7",
    "E_A",
    "E_TK",
    "E_TP",
    "E_MK",
    "E_MK84",
    "G_K",
    "share_beta",
    "share_pod",
]
#: Route, viable cells (10^6), infusions 28 days apart, and a value for each of `COLUMNS`.
SCENARIOS = {
    "current-evidence iv 80": ("iv", 80, 1, "61.35 0.67 3.20 0.161 .307 .047 .0026 .130 .127 .032 .313 .201 3.5e-7 2.9e-10 4.7e-9"),
    "current-evidence iv 160": ("iv", 160, 1, "122.71 1.34 6.41 0.322 .307 .047 .0026 .231 .226 .062 .455 .292 7.1e-7 5.8e-10 9.5e-9"),
    "current-evidence iv 80 x3": ("iv", 80, 3, "61.35 0.67 3.20 0.161 .307 .047 .0026 .294 .267 .073 .603 .529 3.1e-6 8.8e-10 1.4e-8"),
    "current-evidence renal 20": ("renal", 20, 1, "1.56 0.02 17.56 0.004 .494 .123 .0078 .364 .357 .003 .193 .134 1.4e-6 1.2e-11 1.9e-8"),
    "current-evidence pancreatic 88": ("pancreatic", 88, 1, "2.76 5.20 0.14 76.92 .501 .126 .0079 .014 .014 .870 .514 .359 2.8e-8 9.9e-8 3.7e-10"),
    "current-evidence portal 80": ("portal", 80, 1, "24.62 46.41 1.29 0.065 .365 .058 .0021 .061 .060 .018 .367 .232 1.5e-7 1.2e-10 2.0e-9"),
    "seed-claims iv 80": ("iv", 80, 1, "4.10 2.24 37.31 2.238 .669 .306 .069 .999 .999 .999 .999 .999 95 1.1 0.13"),
    "seed-claims renal 20": ("renal", 20, 1, "0.10 0.06 18.42 0.056 .514 .141 .014 .999 .999 .999 .999 .998 91 0.31 0.089"),
    "seed-claims pancreatic 88": ("pancreatic", 88, 1, "0.19 5.25 1.69 77.03 .525 .153 .018 .999 .999 .999 .999 .999 80 1.8 0.057"),
}  # fmt: skip

#: The one printed value that contradicts the printed parameters: it was computed with these values of current evidence in place
#: of those that the claims require.
MISPRINT = ("seed-claims renal 20", "E_MK84")
#: Rounded twice in print: 77.0249, 77.025, 77.03.
ROUNDED_TWICE = {("seed-claims pancreatic 88", "N_P"): "77.025"}
LEFT_AT_EVIDENCE = {"D50_M": 1.0, "w_E": 0.5}
#: What the claims require has been raised since: the table was printed with this.
PRINTED_WITH = {"seed-claims": {"xi_end": 0.01}}


def half_unit(text: str) -> float:
    """Return half a unit of the last printed digit."""
    return 0.5 * 10.0 ** int(Decimal(text).as_tuple().exponent)


def course(name: str, changes: dict[str, float] | None = None) -> dict[str, float]:
    """Simulate a scenario for a year and read off what the table lists."""
    route, cells, count, _ = SCENARIOS[name]
    scenario = name.split()[0]
    # They were printed with values that no fit had moved.
    model = hand_tuned(cell_parameters.parameterise(whole_body.named_model("cells"), scenario))
    model = model.with_values({**PRINTED_WITH.get(scenario, {}), **(changes or {})})
    shares = model.evaluate([f"{route}_{organ}" for organ in ORGANS], dict.fromkeys(model.state_names, 0.0))
    doses = [Dose(f"N_{o}", cells * shares[f"{route}_{o}"], 0, 28.0 if count > 1 else 0.0, count - 1) for o in ORGANS]
    times = np.unique([1 / 24, *np.arange(0.25, 366, 0.25)])
    programmes = ["E_A", "E_TK", "E_TP", "E_M", "E_MK"]
    outputs = ["N_L", "N_H", "N_K", "N_P", "N_total", *programmes, "G_K", "share_beta", "share_pod"]
    table = simulate(model, times, Schedule(doses), rtol=1e-8, atol=1e-12, outputs=outputs).table
    found = {name: table[name].loc[1 / 24] for name in ("N_L", "N_H", "N_K", "N_P")}
    found |= {f"d{day}": table["N_total"].loc[float(day)] / cells for day in (1, 3, 7)}
    found |= {name: table[name].max() for name in programmes}
    found |= {f"{name}84": table[name].loc[84.0] for name in ("E_M", "E_MK")}
    return found | {name: table[name].loc[365.0] for name in ("G_K", "share_beta", "share_pod")}


@pytest.fixture(scope="module")
def courses() -> dict[str, dict[str, float]]:
    return {name: course(name) for name in SCENARIOS}


@pytest.mark.parametrize(("name", "column"), [(n, c) for n in SCENARIOS for c in COLUMNS if (n, c) != MISPRINT])
def test_reference_value(courses: dict[str, dict[str, float]], name: str, column: str) -> None:
    text = ROUNDED_TWICE.get((name, column), SCENARIOS[name][3].split()[COLUMNS.index(column)])
    assert courses[name][column] == pytest.approx(float(text), abs=half_unit(text) * (1 + 1e-9), rel=0)


#: The immune programme in metabolism, which fades more slowly than in the kidney: largest value and that of day 84.
METABOLIC = {
    "current-evidence iv 80": ".319 .267",
    "current-evidence iv 160": ".463 .389",
    "current-evidence iv 80 x3": ".652 .619",
    "current-evidence renal 20": ".198 .176",
    "current-evidence pancreatic 88": ".526 .470",
    "current-evidence portal 80": ".374 .310",
}


@pytest.mark.parametrize("name", METABOLIC)
def test_immune_programme_in_metabolism(courses: dict[str, dict[str, float]], name: str) -> None:
    for column, text in zip(("E_M", "E_M84"), METABOLIC[name].split(), strict=True):
        assert courses[name][column] == pytest.approx(float(text), abs=half_unit(text) * (1 + 1e-9), rel=0)


def test_misprint() -> None:
    name, column = MISPRINT
    text = SCENARIOS[name][3].split()[COLUMNS.index(column)]
    assert course(name)[column] == pytest.approx(0.9992, abs=5e-5)
    assert course(name, LEFT_AT_EVIDENCE)[column] == pytest.approx(float(text), abs=half_unit(text))


@pytest.mark.parametrize(
    ("route", "damage", "printed"),
    [
        ("iv", 0.0, ".8174 .0090 .0037 .0322 .0018 .1359"),
        ("artery", 0.0, ".0871 .0448 .0184 .1609 .0092 .6796"),
        ("portal", 0.0, ".3270 .6036 .0015 .0129 .0007 .0544"),
    ],
)
def test_allocation(route: str, damage: float, printed: str) -> None:
    model = whole_body.named_model("cells").with_values({"damage_K": damage, "damage_P": damage})
    names = [f"{route}_{organ}" for organ in ORGANS]
    found = model.evaluate(names, dict.fromkeys(model.state_names, 0.0))
    for name, text in zip(names, printed.split(), strict=True):
        assert found[name] == pytest.approx(float(text), abs=half_unit(text))


def test_homing_by_vein_stays_small() -> None:
    model = whole_body.named_model("cells")
    found = model.evaluate(["iv_K", "iv_P"], dict.fromkeys(model.state_names, 0.0))
    assert found["iv_K"] == pytest.approx(0.0402, abs=5e-5)
    assert found["iv_P"] == pytest.approx(0.0020, abs=5e-5)


def test_thirty_three_states() -> None:
    assert len(whole_body.named_model("cells").states) == 33
    assert len(whole_body.named_model("cells_tracer").states) == 40

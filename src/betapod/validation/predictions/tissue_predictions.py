"""Where cells go, how long they stay and how much tissue they make, against published scans and autopsies.

The registry holds what trials report of people. Distribution and persistence of cells are targets of the scorecard
(``validation/targets/cells.csv``); here they are predicted under any scenario.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...base.constants import MINUTES_PER_DAY
from ...engine.one_patient import simulate_one
from ...engine.schedule import Dose, Schedule
from ...model import Model
from ...physiology import whole_body
from ...physiology.cells.routes import ORGANS
from ...therapies import cell_parameters
from ...therapies.cell_dosing import regimen
from ..scorecard.agreement import agreement_of
from ..scorecard.targets import Target, select_targets

#: Weight of the typical patient, kg, and the order that autopsies are compared with.
_WEIGHT, _ORDER = 80.0, "BM-MSC 80e6 iv"
#: Labelled cells of a scan, 10^6, and the day of its first picture: ten minutes.
_LABELLED, _FIRST = 300.0, 10.0 / MINUTES_PER_DAY
#: The host of the scans: cirrhosis with eightfold splenic flow, no homing; as in validation/cells_kinetics.py.
_CIRRHOSIS = {"phi_S": 0.24, "phi_portal": 0.391, "damage_K": 0.0, "damage_P": 0.0, "label_dose": _LABELLED}
_YEAR = 365.0


@dataclass(frozen=True)
class Tissue:
    """One published fact and the model's number.

    Attributes
    ----------
    predicted
        In the target's unit, percent.
    verdict
        ``inside``, ``near`` or ``miss``, as the scorecard judges.
    """

    target: Target
    what: str
    predicted: float
    verdict: str

    @property
    def published(self) -> str:
        """The published interval or bound, in words."""
        low, high = self.target.low, self.target.high
        if self.target.bounds == "bound":
            return f"at most {high:g}" if high == high else f"at least {low:g}"
        return f"{low:g} to {high:g}"


def tissue(scenario: str) -> list[Tissue]:
    """Return distribution on scans, product cells in the kidney, and new beta cells, under a scenario.

    Raises
    ------
    ConfigError
        There is no such scenario.
    """
    scans = _scans(scenario)
    months, year = _stayed(scenario, [30.0, _YEAR])
    numbers = [
        ("V1", "label in the lung, minutes after infusion", scans[0]["scan_L"]),
        ("V2", "label in the lung, day 10", scans[1]["scan_L"]),
        ("V3a", "label in the liver, at once", scans[0]["scan_H"]),
        ("V3b", "label in the liver, day 10", scans[1]["scan_H"]),
        ("V4a", "label in the spleen, at once", scans[0]["scan_S"]),
        ("V4b", "label in the spleen, day 10", scans[1]["scan_S"]),
        ("V9a", "product cells in the kidneys, day 30", months["kidney"]),
        ("V9a", "product cells in the kidneys, day 365", year["kidney"]),
        ("V9a", "beta cells of the donor, day 365", year["beta"]),
    ]
    targets = {target.id: target for target in select_targets(["cells"], sorted({name for name, _, _ in numbers}))}
    return [
        Tissue(targets[name], label, value, agreement_of(targets[name], value).name) for name, label, value in numbers
    ]


def _model(assembly: str, scenario: str, **values: float) -> Model:
    return cell_parameters.parameterise(whole_body.named_model(assembly), scenario).with_values(
        {"BW": _WEIGHT, **values}
    )


def _scans(scenario: str) -> tuple[dict[str, float], dict[str, float]]:
    """Return label by organ, percent of the injected, after ten minutes and on day 10."""
    model = _model("cells_tracer", scenario, **_CIRRHOSIS)
    viable = float(cell_parameters.cell_parameter_table(scenario)["viability"].value)
    shares = model.evaluate([f"iv_{organ}" for organ in ORGANS], dict.fromkeys(model.state_names, 0.0))
    doses = [
        Dose(f"{kind}_{organ}", shares[f"iv_{organ}"] * _LABELLED * part)
        for organ in ORGANS
        for kind, part in (("N", viable), ("Y", 1.0 - viable))
        if part > 0
    ]
    names = ["scan_L", "scan_H", "scan_S"]
    table = 100.0 * simulate_one(model, [_FIRST, 10.0], Schedule(doses), rtol=1e-7, atol=1e-12, outputs=names).table
    first, last = ({name: float(table[name].iloc[row]) for name in names} for row in (0, 1))
    return first, last


def _stayed(scenario: str, days: Sequence[float]) -> list[dict[str, float]]:
    """Return product cells and their descendants, percent of native kidney cells and of native beta cells."""
    model = _model("cells", scenario)
    course = regimen(_ORDER, _WEIGHT, model, scenario).schedule
    kidney = ["N_K", "G_K", "Z_end", "Z_pod", "Z_mes", "Z_tub", "Z_mal"]
    times = [0.0, *days]
    table = simulate_one(model, times, course, rtol=1e-7, atol=1e-12, outputs=[*kidney, "Z_beta"]).table
    values = model.values()
    native = sum(values[f"count_{kind}"] for kind in ("end", "pod", "mes", "tub"))
    return [
        {
            "kidney": 100.0 * float(table[kidney].iloc[row].sum()) / native,
            "beta": 100.0 * float(table["Z_beta"].iloc[row]) / values["count_beta"],
        }
        for row in range(1, len(times))
    ]

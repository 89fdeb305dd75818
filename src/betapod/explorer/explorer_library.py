"""People of the library as the explorer holds them: labs, what they take, values and states of the model, and orders of cells for them."""

from __future__ import annotations

import functools
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..base.clinical import clinical_quantities, convert_clinical
from ..hazards.risk_equations.egfr_decline_equation import egfr_decline_range
from ..hazards.risk_equations.equation_people import EquationPeople
from ..hazards.risk_equations.kidney_coefficients import risk_coefficients
from ..hazards.risk_equations.kidney_failure_equation import kidney_failure_range
from ..observables.kdigo import A2_FROM, A3_ABOVE, G_BOUNDS, G_NAMES, RISK
from ..observables.table import observables
from ..patients.library import default
from ..patients.recipients import DRUG_COLUMNS
from ..physiology import whole_body
from ..physiology.cells.routes import ORGANS
from ..therapies import cell_parameters
from ..therapies.cell_dosing import regimen
from ..therapies.cell_order import read_order
from ..therapies.scenarios import SCENARIOS
from ..twins.equations_beside import DIFFERS, FURTHER_LABS, GLUCOSE_CLASSES, PRESSURE_CLASSES
from ..twins.lab_quantities import IN_YEARS, LabQuantity, lab_quantities
from ..twins.like_people import LEAST, WANTED, WIDENED, errorless_labs
from ..twins.option_outcomes import NOTICED_EGFR, NOTICED_UACR
from .explorer_hazards import explorer_hazards, hazard_columns
from .explorer_people import MODEL, ORDERS

if TYPE_CHECKING:
    import pandas as pd

    from ..patients.library import Library

#: People in the page: as many as keep the file below one and a half megabytes.
SIZE = 3000
#: Edges between which people are taken evenly, so that rare kinds are there too; each counts for as many as it was taken from.
_EDGES = {
    "true_egfr": (15.0, 30.0, 45.0, 60.0, 90.0),
    "true_uacr": (30.0, 300.0, 1000.0),
    "true_hba1c": (7.0, 8.5),
    "age": (50.0, 65.0),
}
#: Lowest bits of a number of single precision that are not kept: it is then right to one part in 60,000, and packs well.
_DROPPED_BITS = 8
#: Units that labs may be typed in, besides the first: what people of different countries use.
_UNITS = {
    "hba1c": ("%", "mmol/mol"),
    "uacr": ("mg/g", "mg/mmol"),
    "fasting_glucose": ("mmol/L", "mg/dL"),
    "weight": ("kg", "lb"),
    "c_peptide": ("nmol/L", "ng/mL"),
    "albumin": ("g/L", "g/dL"),
    "phosphate": ("mg/dL", "mmol/L"),
    "calcium": ("mg/dL", "mmol/L"),
}
#: Observables whose error of one measurement the page says, in the order of the model's names.
_MEASURED = ("eGFR", "UACR", "HbA1c")


@functools.cache
def page_library() -> tuple[Library, NDArray[np.float64]]:
    """Return the people of the page, and for how many of the library each counts."""
    library = default()
    rows, counts = thinned(library.table, SIZE)
    return library.take(rows), counts


def thinned(table: pd.DataFrame, size: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return rows of adults with diabetes, evenly over kinds of people, each person once before anybody comes twice; and what each counts for."""
    able = np.flatnonzero((table["segment"] == 0) & (table["diabetes"] > 0) & (table["age"] >= 18))
    part = table.iloc[able]
    kind = np.zeros(len(able), dtype=np.int64)
    for name, edges in _EDGES.items():
        kind = kind * (len(edges) + 1) + np.searchsorted(edges, part[name].to_numpy())
    kind = (kind * 2 + (part["female"].to_numpy() > 0)) * 2 + (part["T1D"].to_numpy() > 0)
    again = part.groupby("person").cumcount().to_numpy()
    order = np.lexsort((np.arange(len(able)), again))
    turn = np.zeros(len(able), dtype=np.int64)
    for number in np.unique(kind):
        members = order[kind[order] == number]
        turn[members] = np.arange(len(members))
    kept = np.sort(np.lexsort((kind, turn))[:size])
    per_kind, kept_of_kind = np.bincount(kind), np.bincount(kind[kept], minlength=kind.max() + 1)
    return able[kept], per_kind[kind[kept]] / kept_of_kind[kind[kept]]


def explorer_library() -> dict[str, Any]:
    """Return what is said of the people, without their values and states."""
    library, _ = page_library()
    _, places, for_life = _stored_series()
    return {
        "size": len(library),
        "persons": int(library.table["person"].nunique()),
        "places": places,
        "forLife": for_life,
        "of": int(((default().table["segment"] == 0) & (default().table["diabetes"] > 0)).sum()),
        "values": varying_values(library),
        "states": list(library.state_names),
        "columns": [
            *_lab_columns(library.table),
            *_flag_columns(),
            "person",
            "counts",
            *hazard_columns(library.table),
        ],
        "labs": [_lab(item) for item in lab_quantities().values() if item.column],
        "equationLabs": [_lab(lab_quantities()[name]) for name in FURTHER_LABS],
        "hazards": explorer_hazards(),
        "classes": dict(DRUG_COLUMNS),
        "pressureClasses": list(PRESSURE_CLASSES),
        "glucoseClasses": list(GLUCOSE_CLASSES),
        "differs": DIFFERS,
        "kdigo": {"names": G_NAMES, "bounds": G_BOUNDS, "a2": A2_FROM, "a3": A3_ABOVE, "risk": RISK},
        "noticed": {"eGFR": NOTICED_EGFR, "UACR": NOTICED_UACR},
        "wanted": WANTED,
        "least": LEAST,
        "widened": list(WIDENED),
        "equations": {
            name: {term: {"value": row.value, "centre": row.centre, "per": row.per} for term, row in rows.items()}
            for name, rows in risk_coefficients().items()
        },
        "ranges": equation_ranges(),
        "errors": {name: observables()[name].relative_error for name in _MEASURED},
        "orders": {order: {name: page_order(order, name) for name in SCENARIOS} for order in ORDERS},
    }


def varying_values(library: Library) -> list[str]:
    """Return values and inputs of the model that differ between the people or from its tables."""
    defaults = whole_body.named_model(MODEL).values()
    return [
        name for name, column in library.parameters.items() if name in defaults and np.any(column != defaults[name])
    ]


@functools.cache
def _stored_series() -> tuple[tuple[NDArray[np.float32], ...], tuple[int, ...], int]:
    """Return the different series of numbers, at which place each of the columns, values and states stands, and how many are per person.

    Somebody is there at several ages, and much stays as it is for life: that is stored once for each person, and these series come first.
    """
    library, counts = page_library()
    table = library.table
    columns: list[Any] = list(_lab_columns(table).values())
    columns += [table[name] for name in _flag_columns()]
    _, first, person = np.unique(table["person"], return_index=True, return_inverse=True)
    whose = len(columns)
    columns += [person, counts, *hazard_columns(table).values()]
    columns += [library.parameters[name] for name in varying_values(library)]
    columns += [library.states[:, k] for k in range(len(library.state_names))]
    series = [_rounded(np.asarray(column, dtype=np.float32)) for column in columns]
    different = {column.tobytes(): column for column in series}
    # All but the number of the person, by which the others are found.
    same = {key for key, column in different.items() if np.array_equal(column[first][person], column)}
    for_life = {key: different[key][first] for key in different if key in same - {series[whose].tobytes()}}
    order = [*for_life, *(key for key in different if key not in for_life)]
    stored = tuple({**different, **for_life}[key] for key in order)
    return stored, tuple(order.index(column.tobytes()) for column in series), len(for_life)


def library_numbers() -> bytes:
    """Return the series of numbers of the people: single precision, one after the other, bytes of one place together."""
    return b"".join(_shuffled(series) for series in _stored_series()[0])


def _rounded(column: NDArray[np.float32]) -> NDArray[np.float32]:
    half = np.uint32(1 << (_DROPPED_BITS - 1))
    bits = (column.view(np.uint32) + half) >> np.uint32(_DROPPED_BITS) << np.uint32(_DROPPED_BITS)
    return bits.view(np.float32)


def _shuffled(column: NDArray[np.float32]) -> bytes:
    return column.astype("<f4").view(np.uint8).reshape(-1, 4).T.tobytes()


def _lab_columns(table: pd.DataFrame) -> dict[str, NDArray[np.float64]]:
    return {name: errorless_labs(table, name) for name, item in lab_quantities().items() if item.column}


def _flag_columns() -> list[str]:
    return ["female", "T1D", *DRUG_COLUMNS.values(), "insulin"]


def _lab(item: LabQuantity) -> dict[str, Any]:
    """Return a lab that can be typed: units, limits, and by how much people may differ from one measurement."""
    error = observables()[item.observable].relative_error if item.observable else 0.0
    clinical = clinical_quantities().get(item.clinical)
    units = []
    for unit in _UNITS.get(item.name, (item.unit,)):
        at_zero, at_one = (
            (convert_clinical(x, clinical, unit, item.unit) for x in (0.0, 1.0))
            if clinical and unit != item.unit
            else (0.0, 1.0)
        )
        units.append({"unit": unit, "shift": at_zero, "factor": at_one - at_zero})
    return {
        "name": item.name,
        "label": item.label,
        "units": units,
        "low": item.low,
        "high": item.high,
        "years": item.name in IN_YEARS,
        "least": max(1e-3, item.low * 0.1),
        "error": error,
        "tolerance": item.tolerance,
    }


def page_order(text: str, scenario: str) -> dict[str, Any]:
    """Return an order of cells so that the page can make each person's course of it: what does not depend on the person as numbers.

    ``doses`` go by the person's weight where ``perKg``, and by a quantity of the model on the day of the infusion; ``plug`` is what cells into
    renal arteries obstruct.
    """
    order = read_order(text)
    table = cell_parameters.cell_parameter_table(scenario)
    model = cell_parameters.parameterise(whole_body.named_model(MODEL), scenario)
    course = regimen(text, 1.0 if order.per_kg else None, model, scenario)
    amount = order.amount * (table["cells_per_IEQ"].value * 1e-6 if order.unit == "IEQ" else 1.0)
    doses: list[dict[str, Any]] = []
    plug = None
    if order.product.kind == "graft":
        function = table[order.product.function].value if order.product.function else 1.0
        viable = amount * table["viability_graft"].value
        doses.append(
            {"state": order.product.state, "amount": viable * function, "quantity": order.product.surviving_part}
        )
    else:
        handled = amount * (1 - table["f_handling"].value)
        viable = handled * table["viability"].value
        for organ in ORGANS:
            quantity = f"{order.route.fractions}_{organ}"
            doses.append({"state": f"N_{organ}", "amount": viable, "quantity": quantity})
            if f"Y_{organ}" in model.state_names:
                doses.append({"state": f"Y_{organ}", "amount": handled - viable, "quantity": quantity})
        if order.route.name == "ra":
            side = "both" if "bilateral" in order.words else "one"
            plug = {"handled": handled, "free": f"plug_free_{side}", "gain": f"plug_gain_{side}"}
    return {
        "perKg": order.per_kg,
        "time": order.start,
        "ii": order.interval,
        "addl": order.count - 1,
        "doses": [dose for dose in doses if dose["amount"]],
        "plug": plug,
        "switches": [asdict(switch) for switch in course.switches],
    }


def equation_ranges() -> dict[str, dict[str, list[float]]]:
    """Return whom the published equations are for: equation -> lab -> lowest and highest whole number that is in their range."""
    somebody: dict[str, Any] = {"age": 50.0, "female": 0.0, "uacr": 100.0, "diabetes": 1.0, "bmi": 30.0}
    tried = {"age": np.arange(1.0, 121.0), "egfr": np.arange(1.0, 201.0), "bmi": np.arange(10.0, 81.0)}
    ranges: dict[str, dict[str, list[float]]] = {}
    for name, is_for, egfr in (("kfre", kidney_failure_range, 50.0), ("ckdpc", egfr_decline_range, 70.0)):
        ranges[name] = {}
        for lab, values in tried.items():
            fits = np.broadcast_to(is_for(EquationPeople(**{**somebody, "egfr": egfr, lab: values})), values.shape)
            ranges[name][lab] = [float(values[fits].min()), float(values[fits].max())]
    return ranges

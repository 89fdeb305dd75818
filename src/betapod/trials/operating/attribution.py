"""Attribution of the effect of cells to mechanisms by Shapley values over all sets of mechanisms.

Mechanisms interact (fewer lost podocytes matter more where glucose stays high), so what one does alone is not what is lost without
it. The Shapley value shares the whole effect fairly; both other numbers stand beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...base.errors import ConfigError, Problem
from ...observables.expressions import of_model, of_person, value
from ...observables.quantities import visit_observables
from ...patients.lived_again import with_going_care
from ...physiology import whole_body
from ..analysis import endpoints
from ..analysis.estimators import Array
from ..conduct.arm_schedules import Planner
from ..conduct.candidates import choose
from ..conduct.replicate_parameters import start_of_trial, trial_start
from .shapley import alone_and_without, coalitions, shapley

if TYPE_CHECKING:
    import pandas as pd

    from ...patients.library import Library
    from ..protocol.protocol import Protocol

#: Mechanisms and the switches of the model that turn them off. Homing, engraftment and renewal stay on: without them nothing else
#: acts; so do the harms (obstruction, mal-differentiation, sensitisation).
MECHANISMS: Mapping[str, tuple[str, ...]] = {
    "podocytes": ("sw_podocyte",),
    "vessels": ("sw_endothelium", "sw_perfusion", "sw_insulin_vessel"),
    "scarring": (
        "sw_fibrosis",
        "sw_inflammation",
        "sw_tubule",
        "sw_rebuild_interstitium",
        "sw_rebuild_glomeruli",
    ),
    "filtration": ("sw_filtration",),
    "replacement": ("sw_differentiation", "sw_rebuild_nephrons"),
    "glucose": (
        "sw_sensitivity",
        "sw_survival",
        "sw_replication",
        "sw_neogenesis",
        "sw_function",
        "sw_recovery",
        "sw_ectopic",
        "sw_autoimmunity",
    ),
}


@dataclass(frozen=True)
class Attribution:
    """Shares of the mean effect of cells.

    Attributes
    ----------
    table
        One row per stratum (``all``, then those of the protocol) and mechanism: ``share`` (Shapley value), ``low`` and ``high``
        (quarters of the people), ``alone``, ``without``, on the scale of the quantity.
    effect
        Stratum -> mean effect of all mechanisms together.
    people
        Stratum -> number of people.
    """

    code: str
    visit: str
    scenario: str
    table: pd.DataFrame
    effect: Mapping[str, float]
    people: Mapping[str, int]


def attribute(
    protocol: Protocol,
    arm: str,
    scenario: str,
    people: int = 24,
    library: Library | None = None,
    threads: int | None = None,
    progress: Callable[[str], None] | None = None,
) -> Attribution:
    """Simulate people with every set of mechanisms of cells and share the effect among the mechanisms.

    Parameters
    ----------
    arm
        An arm with cells. Its other therapies are given too; without co-medication and rescue.
    people
        People of the trial's pool, evenly from each stratum (by their true values).

    Raises
    ------
    ConfigError
        The arm has no cells.
    """
    import pandas as pd

    order = protocol.arms[arm].cells
    if order is None:
        raise ConfigError(Problem("no-cells", f"the arm {arm!r} is given no cells, so there is no effect to attribute"))
    if library is None:
        from ...patients.library import default

        library = default()
    if progress is not None:
        progress(f"switching mechanisms off, {scenario}")
    code = endpoints.described_code(protocol, protocol.endpoints.primary)
    visit = endpoints.endpoint_visit(protocol, protocol.endpoints.primary)
    with trial_start(protocol, library) as everybody:
        candidates = choose(protocol, everybody, protocol.seed)
        pool = candidates.library
        strata = strata_of(protocol, pool)
        rows = _evenly(strata, people, candidates.weights)
        sample = with_going_care(pool.take(rows), start_of_trial(protocol).care)
        worth = _worth(protocol, arm, order, scenario, sample, code, visit, threads)
    names = list(MECHANISMS)
    shares, others = shapley(worth, names), alone_and_without(worth, names)
    total = worth[frozenset(names)] - worth[frozenset()]
    good = np.isfinite(total)
    table_rows: list[dict[str, Any]] = []
    effect, count = {}, {}
    for stratum in dict.fromkeys(["all", *strata[rows]]):
        keep = good & ((strata[rows] == stratum) | (stratum == "all"))
        if not keep.any() or (stratum == "all" and len(set(strata[rows])) == 0):
            continue
        effect[stratum], count[stratum] = float(total[keep].mean()), int(keep.sum())
        for name in names:
            values = shares[name][keep]
            table_rows.append(
                {
                    "stratum": stratum,
                    "mechanism": name,
                    "share": float(values.mean()),
                    "low": float(np.quantile(values, 0.25)),
                    "high": float(np.quantile(values, 0.75)),
                    "alone": float(others[name][0][keep].mean()),
                    "without": float(others[name][1][keep].mean()),
                }
            )
    return Attribution(code, visit, scenario, pd.DataFrame(table_rows), effect, count)


def strata_of(protocol: Protocol, pool: Library) -> np.ndarray:
    """Return the stratum of each person by true values; ``outside`` where none fits, ``all`` where the protocol has none."""
    from ...observables.quantities import CHARACTERISTICS, code_of
    from ..conduct.prescreening import TRUE, fixed_characteristics

    if not protocol.strata:
        return np.full(len(pool), "all", dtype=object)
    assigned = np.full(len(pool), "outside", dtype=object)
    fixed = fixed_characteristics(pool)
    for name, stratum in protocol.strata.items():
        fits = np.ones(len(pool), dtype=bool)
        for quantity, criterion in stratum.where.items():
            code = code_of(quantity)
            low, high = criterion.bounds(code)
            if code in CHARACTERISTICS:
                values = fixed[code]
            elif code in TRUE:
                values = pool.table[TRUE[code]].to_numpy(dtype=float)
            else:
                continue
            fits &= (values >= low) & (values <= high)
        assigned[fits & (assigned == "outside")] = name
    return assigned


def _evenly(strata: np.ndarray, people: int, weights: np.ndarray) -> np.ndarray:
    """Return rows, the same number from each stratum where there are enough people, by systematic sampling of the enrolment chances."""
    names = [name for name in dict.fromkeys(strata) if name != "outside"]
    per_stratum = max(1, people // max(len(names), 1))
    picked = []
    for name in names:
        rows = np.flatnonzero((strata == name) & (weights > 0))
        if len(rows):
            # Systematic sampling: equal steps of the cumulated chance to come.
            total = np.cumsum(weights[rows])
            steps = (np.arange(per_stratum) + 0.5) / per_stratum * total[-1]
            picked.append(rows[np.unique(np.searchsorted(total, steps).clip(max=len(rows) - 1))])
    return np.sort(np.concatenate(picked)) if picked else np.arange(0)


def _worth(
    protocol: Protocol,
    arm: str,
    order: str,
    scenario: str,
    sample: Library,
    code: str,
    visit: str,
    threads: int | None,
) -> dict[frozenset[str], Array]:
    """Return the value at the visit (on the scale of the quantity) of everybody under every set of mechanisms."""
    from ...engine.ensemble import Ensemble
    from ...engine.ensemble_result import ENDED

    plain = whole_body.named_model("reference")
    start = start_of_trial(protocol)
    planner = Planner(protocol, sample, plain, protocol.seed, start)
    therapies = planner.therapies(protocol.arms[arm], False)
    treatment = planner.plan(therapies, protocol.arms[arm], order, scenario)
    model = treatment.model
    sets = coalitions(list(MECHANISMS))
    n = len(sample)
    patients = {name: np.tile(values, len(sets)) for name, values in sample.parameters.items()}
    for name, row in model.parameters.items():
        if row.value != plain.parameters[name].value and name not in patients:
            patients[name] = np.full(n * len(sets), row.value)
    for name, row_value in start.of(scenario).items():
        if name in plain.parameters and name not in sample.parameters:
            patients[name] = np.full(n * len(sets), row_value)
    for name, switches in MECHANISMS.items():
        on = np.repeat([float(name in group) for group in sets], n)
        for switch in switches:
            patients[switch] = on * plain.inputs[switch].value
    quantity = visit_observables()[code]
    day = next(planned.day for planned in protocol.visits if planned.name == visit) + protocol.lead
    initial = {name: np.tile(values, len(sets)) for name, values in sample.initial.items()}
    outputs = of_model(quantity.id)
    result = Ensemble(plain, outputs, threads=threads).run(patients, [day], treatment.schedules * len(sets), initial)
    person = {
        name: np.tile(sample.table[name].to_numpy(dtype=np.float64), len(sets)) for name in of_person(quantity.id)
    }
    observed_value = value(quantity.id, {name: result.values[:, 0, i] for i, name in enumerate(outputs)}, person)
    values = np.where(result.status < ENDED, observed_value, np.nan).reshape(len(sets), n)
    return dict(zip(sets, quantity.forward(values), strict=True))

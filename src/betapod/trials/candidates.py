"""Who may come to screening: people of a library, weighted to look like a cohort, who are not out of the question from the start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..engine.randomness import Stream
from ..errors import ConfigError, Problem
from .quantities import CHARACTERISTICS, Numbers, code_of, quantities

if TYPE_CHECKING:
    from ..patients.library import Library
    from .protocol import Protocol

#: Library columns with the true value of what is judged at screening.
_TRUE = {"UACR": "true_uacr", "EGFR": "true_egfr", "HBA1C": "true_hba1c", "FPG": "true_fpg", "CPEP": "true_c_peptide"}
#: A person farther outside a bound than this many SDs of a measurement is never called to screening.
_FAR = 4.0


def choose(protocol: Protocol, library: Library, seed: int) -> tuple[Library, Numbers]:
    """Return the people of a trial's pool, and their weights as candidates (sum 1).

    People are drawn without replacement with the cohort's weights as chances; they then count alike.

    Raises
    ------
    ConfigError
        Nobody in the library may be eligible.
    """
    weights = _weights(protocol, library)
    allowed = possible(protocol, library) & (weights > 0)
    rows = np.flatnonzero(allowed)
    if not rows.size:
        raise ConfigError(
            Problem(
                "nobody-eligible",
                f"nobody in the library of {len(library)} patients fits the trial {protocol.name}",
                hint="Widen the eligibility, or grow a larger library with: betapod patients grow",
            )
        )
    luck = Stream(seed, "trial:pool").uniform(rows)
    # Exponential races: the smallest times are a draw without replacement with chances by weight.
    first = np.argsort(-np.log(luck) / weights[rows], kind="stable")[: protocol.population.size]
    chosen = np.sort(rows[first])
    return library.take(chosen), np.full(len(chosen), 1.0 / len(chosen))


def _weights(protocol: Protocol, library: Library) -> Numbers:
    name = protocol.population.cohort
    if not name:
        return np.full(len(library), 1.0 / len(library))
    from ..patients import tables
    from ..patients.reweight import weigh

    eligible, found = weigh(library, tables.load(name))
    weights = np.zeros(len(library))
    weights[eligible] = found.weights
    return weights


def characteristics(library: Library) -> dict[str, Numbers]:
    """Return what does not change in a trial, by the names that protocols use."""
    table = library.table
    found: dict[str, Numbers] = {}
    for name, each in CHARACTERISTICS.items():
        if each.column == "rasi":
            found[name] = ((table["acei"] > 0) | (table["arb"] > 0)).to_numpy(dtype=np.float64)
        else:
            found[name] = table[each.column].to_numpy(dtype=np.float64)
    return found


def possible(protocol: Protocol, library: Library) -> NDArray[np.bool_]:
    """Return who is not out of the question: characteristics within bounds, true values not far outside."""
    fixed, allowed = characteristics(library), np.ones(len(library), dtype=bool)
    if protocol.population.diabetes != "any":
        allowed &= (fixed["TYPE1"] > 0) == (protocol.population.diabetes == "type 1")
    for name, criterion in protocol.eligibility.items():
        code = code_of(name)
        low, high = criterion.bounds(code)
        if code in CHARACTERISTICS:
            with np.errstate(invalid="ignore"):
                allowed &= (fixed[code] >= low) & (fixed[code] <= high)
        elif code in _TRUE:
            sd = quantities()[code].sd
            room = np.exp(_FAR * (sd if np.isfinite(sd) else quantities()["CREAT"].sd * 1.2))
            true = library.table[_TRUE[code]].to_numpy(dtype=np.float64)
            allowed &= (true >= low / room) & (true <= high * room)
    return allowed

"""Pre-screening: fixed characteristics, true values near the eligibility bounds, and confirmed diagnoses of library patients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...base.randomness import Stream
from ...observables.ckd_epi import STEEPEST
from ...observables.quantities import CHARACTERISTICS, Numbers, code_of, visit_observables
from ...patients.library_identity import snapshot_number

if TYPE_CHECKING:
    from ...patients.library import Library
    from ..protocol.protocol import Protocol

#: Library columns with the true value of what is judged at screening.
TRUE = {code: item.library for code, item in visit_observables().items() if item.library and item.is_relative}
#: A person farther outside a bound than this many SDs of a measurement is never called to screening.
_FAR = 4.0
#: Age from which people are enrolled where a protocol names none, year.
ADULT = 18.0
#: Samples that make a diagnosis (KDIGO: two of three).
_SAMPLES, _NEEDED = 3, 2


def fixed_characteristics(library: Library) -> dict[str, Numbers]:
    """Return fixed patient characteristics by their protocol names."""
    table = library.table
    columns: dict[str, Numbers] = {}
    for name, characteristic in CHARACTERISTICS.items():
        if characteristic.id == "rasi":
            either = (table["acei"] > 0) | (table["arb"] > 0)
            columns[name] = np.asarray(either, dtype=np.float64)
        else:
            columns[name] = np.asarray(table[characteristic.cohort], dtype=np.float64)
    return columns


def may_be_eligible(protocol: Protocol, library: Library) -> NDArray[np.bool_]:
    """Return who may be eligible: characteristics within bounds, true values within or near them."""
    fixed = fixed_characteristics(library)
    allowed: NDArray[np.bool_] = np.ones(len(library), dtype=bool)
    wanted = protocol.population.diabetes
    allowed &= (fixed["DIABETES"] > 0) == (wanted != "none")
    if wanted not in ("any", "none"):
        allowed &= (fixed["TYPE1"] > 0) == (wanted == "type 1")
    named = {code_of(name) for name in (*protocol.eligibility, *protocol.population.confirmed)}
    if "PIMA" not in named:
        allowed &= fixed["PIMA"] == 0
    if "AGE" not in named:
        allowed &= fixed["AGE"] >= ADULT
    for name, criterion in protocol.eligibility.items():
        code = code_of(name)
        low, high = criterion.bounds(code)
        if code in CHARACTERISTICS:
            with np.errstate(invalid="ignore"):
                allowed &= (fixed[code] >= low) & (fixed[code] <= high)
        elif code in TRUE:
            room = np.exp(_FAR * _screening_error(code))
            true = library.table[TRUE[code]].to_numpy(dtype=np.float64)
            allowed &= (true >= low / room) & (true <= high * room)
    return allowed


def confirmed(protocol: Protocol, library: Library, seed: int) -> NDArray[np.bool_]:
    """Return who has the confirmed diagnosis: two of three earlier samples, with measurement error, within bounds."""
    allowed: NDArray[np.bool_] = np.ones(len(library), dtype=bool)
    table = library.table
    number = snapshot_number(table)
    for name, criterion in protocol.population.confirmed.items():
        code = code_of(name)
        low, high = criterion.bounds(code)
        if code in CHARACTERISTICS:
            value: Numbers = fixed_characteristics(library)[code]
            with np.errstate(invalid="ignore"):
                allowed &= (value >= low) & (value <= high)
            continue
        true = table[TRUE[code]].to_numpy(dtype=np.float64)
        sd = visit_observables()[code].relative_error
        draws = np.stack([Stream(seed, f"trial:confirmed:{code}").normal(number, k) for k in range(_SAMPLES)])
        measured = true * np.exp(sd * draws)
        allowed &= np.asarray(np.sum((measured >= low) & (measured <= high), axis=0) >= _NEEDED)
    return allowed


def _screening_error(code: str) -> float:
    """Return the SD of the logarithm of what is measured at screening; eGFR at its largest, where it is made of a high creatinine."""
    return (
        visit_observables()["CREAT"].relative_error * STEEPEST
        if code == "EGFR"
        else visit_observables()[code].relative_error
    )

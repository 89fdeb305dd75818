"""Named random streams: a number depends on (seed, purpose, patient, replicate) and on nothing else.

Arms of a trial that ask for the same purpose share common random numbers, and neither threads, shards nor the order of
patients can change a draw. The generator is Philox4x64-10 (Salmon et al. 2011, doi:10.1145/2063384.2063405): counter-based, so the
numbers of any patients are computed directly, without walking through those of others.

The key is a hash of seed, purpose and replicate; the counter is the patient. NumPy's Philox computes ranges, and picks from one for
patients who are not too far apart; others are computed by the same rounds written out in NumPy arithmetic, with the same result.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .errors import ConfigError, Problem

#: Patients by number: a range, or an array of whole numbers from 0.
Patients: TypeAlias = range | Sequence[int] | NDArray[np.integer]

_LOW_HALF = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_MULTIPLIERS = (0xD2E7470EE14C6C93, 0xCA5A826395121157)
_KEY_STEPS = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)
_ROUNDS = 10
_WORD = (1 << 64) - 1
#: A range so many times as long as there are patients in it, or so long, is computed whole sooner than patients one by one.
_SPARSE, _SHORT = 32, 20_000
#: The last word of the counter tells the numbers of `Stream.uniform` (0) from those of `Stream.generator` (1).
_OWN_GENERATOR = 1


@dataclass(frozen=True)
class Stream:
    """Independent random numbers of every patient, for one purpose.

    Attributes
    ----------
    seed
        The seed of the whole run, not negative.
    purpose
        What the numbers are for, such as ``draw:GFR0`` or ``dropout``. Other purposes give independent numbers.
    replicate
        Number of the repetition, such as the trial that a power study repeats.
    """

    seed: int
    purpose: str
    replicate: int = 0

    def __post_init__(self) -> None:
        if self.seed < 0 or self.replicate < 0:
            raise ConfigError(
                Problem(
                    "bad-seed",
                    "a seed and a replicate are whole numbers from 0",
                    found=f"seed {self.seed}, replicate {self.replicate}",
                )
            )

    @cached_property
    def key(self) -> tuple[int, int]:
        """The two 64-bit key words."""
        text = f"betapod:{self.seed}:{self.replicate}:{self.purpose}"
        digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
        return int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")

    def integers(self, patients: Patients, item: int = 0) -> NDArray[np.uint64]:
        """Return 64 random bits per patient, shape (n,).

        Parameters
        ----------
        item
            Which of a patient's numbers; each item is as independent as another stream.
        """
        contiguous = _as_range(patients)
        if contiguous is not None:
            return self._of_range(contiguous, item)
        numbers = np.asarray(patients)
        if len(numbers):
            first, last = int(numbers.min()), int(numbers.max())
            if last - first < max(_SPARSE * len(numbers), _SHORT):
                return np.asarray(self._of_range(range(first, last + 1), item)[numbers - first])
        return _philox(numbers, item, self.key)

    def _of_range(self, patients: range, item: int) -> NDArray[np.uint64]:
        skipped = patients.start % 4
        generator = np.random.Philox(key=_words(*self.key), counter=_words(patients.start // 4, item, 0, 0))
        raw: NDArray[np.uint64] = generator.random_raw(skipped + len(patients))
        return raw[skipped:]

    def uniform(self, patients: Patients, item: int = 0) -> NDArray[np.float64]:
        """Return one number per patient, uniform on the open interval (0, 1) and symmetric about 1/2, shape (n,)."""
        # 52 bits and a half step: neither 0 nor 1 can come out, so that every inverse distribution function is finite.
        result: NDArray[np.float64] = (self.integers(patients, item) >> np.uint64(12)).astype(np.float64)
        result += 0.5
        result *= 2.0**-52
        return result

    def normal(self, patients: Patients, item: int = 0) -> NDArray[np.float64]:
        """Return one standard normal number per patient, by inversion, shape (n,)."""
        from scipy.special import ndtri

        result: NDArray[np.float64] = ndtri(self.uniform(patients, item))
        return result

    def generator(self, patient: int) -> np.random.Generator:
        """Return a NumPy generator of one patient, for draws whose number is not known in advance."""
        if patient < 0:
            raise _no_patient(patient)
        counter = _words(0, 0, patient, _OWN_GENERATOR)
        return np.random.Generator(np.random.Philox(key=_words(*self.key), counter=counter))


def _words(*values: int) -> NDArray[np.uint64]:
    return np.array(values, dtype=np.uint64)


def _no_patient(value: object) -> ConfigError:
    return ConfigError(Problem("bad-patient", "patients are counted from 0", found=str(value)))


def _as_range(patients: Patients) -> range | None:
    """Return the patients as a range without gaps, where they are one."""
    if isinstance(patients, range):
        # The ends of a range are its least and its greatest number: nothing is walked through.
        least = min(patients[0], patients[-1]) if len(patients) else 0
        if least < 0:
            raise _no_patient(least)
        return patients if patients.step == 1 and len(patients) else None
    array = np.asarray(patients)
    if array.size == 0:
        return None
    if array.ndim != 1 or array.dtype.kind not in "iu" or array.min() < 0:
        raise _no_patient(patients)
    if array.size > 1 and not bool(np.all(np.diff(array) == 1)):
        return None
    return range(int(array[0]), int(array[-1]) + 1)


def _philox(patients: NDArray[np.integer], item: int, key: tuple[int, int]) -> NDArray[np.uint64]:
    """Compute Philox4x64-10 for scattered patients: word ``patient % 4`` of the block ``patient // 4 + 1``."""
    patients = patients.astype(np.uint64)
    # NumPy's generator counts up before it computes, hence the one.
    counter = [
        patients // np.uint64(4) + np.uint64(1),
        np.full_like(patients, item),
        *np.zeros((2, len(patients)), np.uint64),
    ]
    words = list(key)
    for _ in range(_ROUNDS):
        high_0, low_0 = _multiply(counter[0], _MULTIPLIERS[0])
        high_1, low_1 = _multiply(counter[2], _MULTIPLIERS[1])
        counter = [
            high_1 ^ counter[1] ^ np.uint64(words[0]),
            low_1,
            high_0 ^ counter[3] ^ np.uint64(words[1]),
            low_0,
        ]
        words = [(word + step) & _WORD for word, step in zip(words, _KEY_STEPS, strict=True)]
    result: NDArray[np.uint64] = np.choose((patients % np.uint64(4)).astype(np.intp), counter)
    return result


def _multiply(a: NDArray[np.uint64], factor: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return the high and the low word of a 64 by 64 bit product."""
    b_low, b_high = np.uint64(factor & 0xFFFFFFFF), np.uint64(factor >> 32)
    a_low, a_high = a & _LOW_HALF, a >> _HALF
    low = a_low * b_low
    first = a_high * b_low + (low >> _HALF)
    second = a_low * b_high + (first & _LOW_HALF)
    return a_high * b_high + (first >> _HALF) + (second >> _HALF), a * np.uint64(factor)

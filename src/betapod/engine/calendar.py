"""Times of a schedule as exact numbers, so that a repeated dose falls on the visit it was meant for.

Binary numbers hold neither 0.7 nor 1/24: three times 0.7 is not 2.1 to the last bit. A time is therefore read as the number that was
written, multiplied and added as fractions, and compared with visits to 13 digits. Times that agree so far are one time.
"""

from __future__ import annotations

import bisect
import functools
import math
from collections.abc import Iterable, Sequence
from fractions import Fraction

#: Times that differ by less than this share of themselves are one time. A day of step 0.1 that was added up a thousand times is still
#: met; a blood sample a microsecond after a dose is still another time.
SAME = 1e-13
#: Largest denominator of a time that is taken for a fraction, such as 1/24 of a day or 1/86400.
_DENOMINATOR = 100_000


@functools.lru_cache(maxsize=65536)
def exact_time(time: float | Fraction) -> Fraction:
    """Return the number that a time was meant to be: its shortest decimals, or the simple fraction that it equals to the last bits.

    Parameters
    ----------
    time
        A finite number.
    """
    if isinstance(time, Fraction):
        return time
    time = float(time)
    decimal = Fraction(repr(time))
    if len(repr(time).partition("e")[0].replace(".", "").strip("-0")) <= 15:
        return decimal
    simple = Fraction(time).limit_denominator(_DENOMINATOR)
    return simple if abs(float(simple) - time) <= 4 * math.ulp(time) else decimal


def repeated_times(time: float | Fraction, every: float | Fraction, more: int) -> list[Fraction]:
    """Return a first time and `more` further ones, `every` apart."""
    first, step = exact_time(time), exact_time(every)
    return [first + k * step for k in range(more + 1)]


class Calendar:
    """Gives every time one number: that of the visit it falls on, else that of the first of the times that agree.

    Parameters
    ----------
    times
        Every time at which something is done.
    visits
        Times at which someone looks, rising.
    """

    def __init__(self, times: Iterable[Fraction], visits: Sequence[float] = ()) -> None:
        self._visits = [float(visit) for visit in visits]
        self._numbers: dict[Fraction, float] = {}
        before: float | None = None
        for time in sorted(set(times)):
            number = self._visit(float(time))
            if before is not None and number <= before * (1 + SAME):
                number = before
            self._numbers[time] = before = number

    def _visit(self, time: float) -> float:
        """Return the nearest visit, where it is the same time, else the time itself."""
        k = bisect.bisect_left(self._visits, time)
        visit = min(self._visits[max(k - 1, 0) : k + 1], key=lambda candidate: abs(candidate - time), default=time)
        return visit if abs(visit - time) <= SAME * abs(time) else time

    def __getitem__(self, time: Fraction) -> float:
        return self._numbers[time]

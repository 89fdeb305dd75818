"""What every function on the unit cube is to those who vary its numbers; nothing here shapes a value, so that values stay kept whatever is made of them."""

from __future__ import annotations

from collections.abc import Callable

from .index_table import Numbers

#: Points of each repetition in the first round of a design.
FIRST = 16

#: A function on the unit cube: places (K, d) -> values (K, outputs).
CubeFunction = Callable[[Numbers], Numbers]
#: Told what is being done, how many runs are done, and of how many.
Progress = Callable[[str, int, int], None]

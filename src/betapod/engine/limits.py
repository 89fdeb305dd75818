"""How much one call may compute: asked for more, betapod says so before it begins."""

from __future__ import annotations

from ..base.errors import ConfigError, Location, Problem

#: Numbers in one table: 0.8 GB, and about three times that while it is made.
MOST_VALUES = 100_000_000
#: Numbers in the array of one call of the ensemble engine: 4 GB.
MOST_ENSEMBLE_VALUES = 500_000_000
#: Patients of one run.
MOST_PATIENTS = 1_000_000_000
#: Times that one run reports.
MOST_VISITS = 1_000_000
#: Times are told from 0 and from each other down to this, in whatever unit.
SHORTEST = 1e-100


def check_size(rows: int, columns: int, most: int, where: str = "", hint: str = "") -> None:
    """Check that a table is not too large.

    Raises
    ------
    ConfigError
        It would have more numbers than `most`.
    """
    if rows * columns > most:
        raise ConfigError(
            Problem(
                "too-large",
                "that is more than one call can hold",
                Location(where),
                found=f"{rows:,} x {columns:,} numbers, {8e-9 * rows * columns:,.1f} GB",
                expected=f"at most {most:,} numbers",
                hint=hint,
            )
        )

"""Whether the results of a run can be on the disk at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from ...base.errors import ConfigError, Location, Problem
from ...base.nouns import bytes_text
from .run_plan import RunPlan

#: Bytes that a number takes at least once it is compressed; of 8.
_LEAST = 4


def refuse_small_disk(plan: RunPlan, folder: Path, shards: Iterable[int]) -> None:
    """Check that results can be on the disk at all.

    Raises
    ------
    ConfigError
        Even well compressed they need more than is free.
    """
    patients = sum(len(plan.members(shard)) for shard in shards)
    least = _LEAST * patients * len(plan.times) * len(plan.names)
    existing = folder.absolute()
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    free = shutil.disk_usage(existing).free
    if least > free:
        raise ConfigError(
            Problem(
                "disk-too-small",
                "the results would not fit on the disk",
                Location(str(folder)),
                found=f"at least {bytes_text(least)}",
                expected=f"up to {bytes_text(free)}, which are free",
                hint="Fewer patients, visits or outputs need less.",
            )
        )

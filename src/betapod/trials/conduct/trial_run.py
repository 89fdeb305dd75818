"""Results of running a protocol: the data of every design under every scenario."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from .trial_data import TrialData

if TYPE_CHECKING:
    import pandas as pd

    from ..protocol.protocol import Protocol
    from .patient_pool import Pool


@dataclass(frozen=True)
class TrialRun(Mapping[tuple[str, str], TrialData]):
    """Results of a protocol: ``run[design, scenario]`` is its `TrialData`.

    Attributes
    ----------
    data
        (design, scenario) -> TrialData, in the order of the protocol.
    pool
        The virtual people and their true courses under every arm and scenario.
    facts
        Seconds, screening ratio and warnings.
    """

    protocol: Protocol
    data: Mapping[tuple[str, str], TrialData]
    pool: Pool = field(repr=False)
    facts: Mapping[str, object] = field(default_factory=dict)

    def __getitem__(self, key: tuple[str, str]) -> TrialData:
        return self.data[key]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)

    @property
    def designs(self) -> tuple[str, ...]:
        """Names of the designs."""
        return tuple(dict.fromkeys(design for design, _ in self.data))

    @property
    def scenarios(self) -> tuple[str, ...]:
        """Names of the scenarios."""
        return tuple(dict.fromkeys(scenario for _, scenario in self.data))

    def truth(self, design: str, scenario: str, code: str, visit: str) -> pd.DataFrame:
        """Return one row per patient: what was seen, the true effect of cells and every part of the change, at one visit."""
        import pandas as pd

        data = self[design, scenario]
        v = data.visit(visit)
        keep = data.enrolled.reshape(-1)
        table = pd.DataFrame(
            {
                "replicate": np.repeat(np.arange(data.replicates), data.patients),
                "patient": np.tile(np.arange(data.patients), data.replicates),
                "arm": np.array(data.arms, dtype=object)[data.arm.reshape(-1)],
                "stratum": np.array(data.strata, dtype=object)[data.stratum.reshape(-1)],
                "change": data.change(code)[:, :, v].reshape(-1),
                "true effect of cells": data.effect(code)[:, :, v].reshape(-1),
                **{name: values[:, :, v].reshape(-1) for name, values in data.parts(code).items()},
            }
        )
        return table[keep].reset_index(drop=True)

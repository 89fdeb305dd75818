"""Results of running a protocol: the data of every design under every scenario."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ...base.display import Displayed
from ...base.errors import ConfigError, not_among
from .trial_data import TrialData

if TYPE_CHECKING:
    import pandas as pd

    from ..protocol.protocol import Protocol
    from .patient_pool import Pool


@dataclass(frozen=True, repr=False)
class TrialRun(Displayed, Mapping[tuple[str, str], TrialData]):
    """Results of a protocol: ``run[design, scenario]`` is its `TrialData`.

    Attributes
    ----------
    data
        (design, scenario) -> TrialData, in the order of the protocol.
    pool
        The virtual people and their true courses under every arm and scenario.
    facts
        Seconds, screening ratio and warnings.
    digest
        Of all that determines the numbers, where the run is kept in a folder; empty otherwise.

    Examples
    --------
    >>> import betapod
    >>> run = betapod.run_trial("dn61", designs=["single arm"], scenarios=["none"], replicates=4)
    >>> run["single arm", "none"].change("UACR").shape
    (4, 61, 6)
    """

    protocol: Protocol
    data: Mapping[tuple[str, str], TrialData]
    pool: Pool = field(repr=False)
    facts: Mapping[str, object] = field(default_factory=dict)
    digest: str = ""

    def __getitem__(self, key: tuple[str, str]) -> TrialData:
        if key not in self.data:
            pairs = [f"{design!r}, {scenario!r}" for design, scenario in self.data]
            name = ", ".join(map(repr, key)) if isinstance(key, tuple) else repr(key)
            raise ConfigError(not_among(pairs, "unknown-name", f"the run has no data of [{name}]", name))
        return self.data[key]

    def __contains__(self, key: object) -> bool:
        return key in self.data

    def get(self, key: tuple[str, str], default: Any = None) -> Any:
        """Return the data of a design under a scenario, if the run has them.

        Parameters
        ----------
        key
            Design and scenario.
        default
            What is returned where the run has no such data.

        Returns
        -------
        TrialData
            Or `default`.

        Raises
        ------
        TypeError
            The key is no pair of names.

        Examples
        --------
        >>> import betapod
        >>> run = betapod.run_trial("dn61", designs=["single arm"], scenarios=["none"], replicates=2)
        >>> run.get(("randomised", "none")) is None
        True
        """
        return self.data.get(key, default)

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

    @functools.cached_property
    def summary(self) -> dict[str, Any]:
        """What trials find at the primary endpoint, and what each arm's change was made of, as plain values."""
        from ..operating.run_summary import run_summary

        return run_summary(self.protocol, self.data, self.facts)

    @property
    def table(self) -> pd.DataFrame:
        """The primary endpoint: one row per design, scenario and arm, means over replicates.

        ``change`` from baseline and ``true_effect`` of cells are in the quantity's unit, or in % where it is analysed as a
        logarithm; ``change_sd`` is the SD between trials on the scale of the analysis; the last three columns are shares.
        """
        import pandas as pd

        log = self.summary["endpoint"]["scale"] == "log"
        names = ("design", "scenario", "arm", "patients", "screened", "change", "change_sd", "true_effect")
        columns = [*names, "dropped_out", "died", "rescued"]
        table = pd.DataFrame(self.summary["rows"], columns=columns)
        for name in ("change", "true_effect"):
            table[name] = table[name].astype(float)
            table[name] = 100.0 * np.expm1(table[name]) if log else table[name]
        return table

    @property
    def units(self) -> dict[str, str]:
        """Unit of the columns of `table`."""
        endpoint = self.summary["endpoint"]
        unit = "%" if endpoint["scale"] == "log" else endpoint["unit"]
        return {"change": unit, "true_effect": unit}

    @property
    def comparisons(self) -> pd.DataFrame:
        """What trials find: one row per design, scenario and comparison of arms; empty without a control.

        ``estimate`` and the central 95 % of trials, ``low`` to ``high``, are on the scale of the analysis: differences, or
        logarithms of ratios and hazards. ``significant`` and ``benefit`` (significant in the better direction) are shares of trials.
        """
        import pandas as pd

        names = ("design", "scenario", "treated", "control", "estimate", "low", "high", "significant", "benefit")
        return pd.DataFrame(self.summary["comparisons"], columns=[*names, "true_effect", "true_effect_of"])

    def truth(self, design: str, scenario: str, code: str, visit: str) -> pd.DataFrame:
        """Return one row per patient: what was seen, the true effects of treatment and every part of the change, at one visit.

        Parameters
        ----------
        design, scenario
            Of the run.
        code
            PARAMCD, such as ``UACR``.
        visit
            Name of a visit.

        Returns
        -------
        pandas.DataFrame
            On the scale on which changes of the quantity are counted; the parts add up to the change. ``true effect of cells`` and ``cells``
            are there where an arm has cells, ``true effect of treatment`` (of the own arm's therapies and inputs) where one has these.

        Raises
        ------
        KeyError
            There is no such design, scenario or quantity.

        Examples
        --------
        >>> import betapod
        >>> run = betapod.run_trial("dn61", designs=["single arm"], scenarios=["none"], replicates=4)
        >>> visit = run.protocol.visits[-1].name
        >>> table = run.truth("single arm", "none", "UACR", visit)
        >>> bool((table["true effect of cells"].dropna().abs() < 1e-4).all())
        True
        """
        import pandas as pd

        data = self[design, scenario]
        v = data.visit(visit)
        keep = data.enrolled.reshape(-1)
        arms = [self.protocol.arms[arm] for arm in data.arms]
        cells = any(arm.cells for arm in arms)
        effects = {"true effect of cells": data.effect(code)} if cells else {}
        if any(arm.therapies or arm.inputs for arm in arms):
            effects["true effect of treatment"] = data.treatment(code)
        parts = {name: values for name, values in data.parts(code).items() if cells or name != "cells"}
        table = pd.DataFrame(
            {
                "replicate": np.repeat(np.arange(data.replicates), data.patients),
                "patient": np.tile(np.arange(data.patients), data.replicates),
                "arm": np.array(data.arms, dtype=object)[data.arm.reshape(-1)],
                "stratum": np.array(data.strata, dtype=object)[data.stratum.reshape(-1)],
                "change": data.change(code)[:, :, v].reshape(-1),
                **{name: values[:, :, v].reshape(-1) for name, values in (effects | parts).items()},
            }
        )
        return table[keep].reset_index(drop=True)

"""Where the unknowns of a fit act: rows, drugs, people, visits, care or cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .installed_fits import FitRecord, list_fits, load_fit

#: Part of a set of parameters by the kind of an unknown that is in it.
PART_OF: Mapping[str, str] = {
    "row": "values",
    "cells": "cells",
    "drug": "drugs",
    "median": "people",
    "spread": "people",
    "correlation": "people",
    "visit": "visits",
    "care": "care",
}


@dataclass(frozen=True)
class FitChanges:
    """What a set of unknowns changes in the tables, by where it acts.

    Attributes
    ----------
    values
        Rows of the model, or of the table of people -> value.
    cells
        Rows of cell therapy -> value; by current evidence, since published trials say nothing of what is claimed.
    drugs
        Factors on effects of drugs, see `therapies.effect_factors`.
    people
        Medians, spreads and correlations between people, see `patients.reweighting`.
    visits
        SDs of one measurement and of a year of life, see `observables.variation`.
    care
        Inputs that care moves during studies -> by how much.
    """

    values: Mapping[str, float] = field(default_factory=dict)
    cells: Mapping[str, float] = field(default_factory=dict)
    drugs: Mapping[str, float] = field(default_factory=dict)
    people: Mapping[str, float] = field(default_factory=dict)
    visits: Mapping[str, float] = field(default_factory=dict)
    care: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def sorted_by(cls, kinds: Mapping[str, str], changes: Mapping[str, float]) -> FitChanges:
        """Return changes of unknowns by where each acts.

        Parameters
        ----------
        kinds
            Kind of each unknown, as `FitRecord.kinds`.
        changes
            Unknown -> what it changes, as `FitRecord.relative` or `FitRecord.at_start`.

        Examples
        --------
        >>> from betapod.physiology.fit_changes import FitChanges
        >>> FitChanges.sorted_by({"h_N0": "row", "care dMAP": "care"}, {"h_N0": 0.009, "care dMAP": -2.0}).care
        {'dMAP': -2.0}
        """
        parts: dict[str, dict[str, float]] = {part: {} for part in dict.fromkeys(PART_OF.values())}
        for name, value in changes.items():
            parts[PART_OF[kinds[name]]][name.removeprefix("care ")] = value
        return cls(**parts)


def fit_in_tables() -> FitRecord | None:
    """Return the fit whose central values the tables have: the newest that was installed with them; None where there is none.

    Examples
    --------
    >>> from betapod.physiology.fit_changes import fit_in_tables
    >>> fit = fit_in_tables()
    >>> fit is None or fit.identity.get("in tables") is not False
    True
    """
    return next((fit for name in reversed(list_fits()) if (fit := load_fit(name)).in_tables), None)

"""Report of an import: names of quantities, what was left out, what to know of the numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...base.errors import ExchangeError, Problem, did_you_mean


@dataclass(frozen=True)
class ImportReport:
    """What an import made of a file.

    Attributes
    ----------
    level, version
        Of SBML; of CellML the two parts of its version.
    names
        Model name of every SBML identifier that has a value, and of every variable of CellML as ``component.variable``.
    amounts, concentrations
        Model name of the amount and of the concentration of each species; a species in a point has no concentration.
    ignored
        Sentences on what has no influence on the simulation and was left out.
    notes
        Sentences on what a user should know before trusting the numbers, such as amounts that nobody can compute.
    """

    level: int
    version: int
    names: Mapping[str, str] = field(default_factory=dict)
    amounts: Mapping[str, str] = field(default_factory=dict)
    concentrations: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def name(self, identifier: str) -> str:
        """Return the model's name for an identifier of the file, meaning what the file's mathematics means by it."""
        return self._find(self.names, identifier, "quantity")

    def amount(self, identifier: str) -> str:
        """Return the name of a species' amount."""
        return self._find(self.amounts, identifier, "species")

    def concentration(self, identifier: str) -> str:
        """Return the name of a species' concentration."""
        return self._find(self.concentrations, identifier, "species with a concentration")

    def _find(self, table: Mapping[str, str], identifier: str, noun: str) -> str:
        if identifier not in table:
            raise ExchangeError(
                Problem("unknown-name", f"the file has no {noun} {identifier!r}", hint=did_you_mean(identifier, table))
            )
        return table[identifier]

"""The options that select records of evidence, which its verbs share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from ..completion import complete_table, complete_term
from ..shared import names_option, print_note

if TYPE_CHECKING:
    from ...evidence.records.registry import Registry
    from ...evidence.records.study import Record

OverlayOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--overlay",
        "-o",
        metavar="CSV",
        help="Your own table of evidence, which extends or overrides the registry; may be repeated.",
        autocompletion=complete_table,
    ),
]


def overlaid(tables: list[Path] | None) -> Registry:
    """Return the registry with overlays, having said what they replace and add."""
    from ...evidence.records.overlay import told
    from ...evidence.records.registry import load_with_mechanisms

    registry = load_with_mechanisms(tables or ())
    for line in told(registry, tables or ()):
        print_note(line)
    return registry


def terms_option(column: str, described: str) -> Any:
    """Return the option that chooses records by a column of the registry; its help says where the words are listed."""
    return typer.Option(
        f"--{column}",
        metavar="NAME",
        help=f"Only {described}; may be repeated. 'betapod evidence terms {column}' lists them.",
        autocompletion=complete_term(column),
    )


@dataclass(frozen=True)
class RecordSelection:
    """Which rows of the registry: all of them, or those that fit every option."""

    heading: ClassVar[str] = "Which records"

    study: Annotated[list[str] | None, terms_option("study", "this study")] = None
    family: Annotated[list[str] | None, terms_option("family", "this family of studies with shared patients")] = None
    population: Annotated[list[str] | None, terms_option("population", "this population, e.g. T2D or DKD")] = None
    product: Annotated[list[str] | None, terms_option("product", "this treatment, e.g. UC-MSC")] = None
    endpoint: Annotated[list[str] | None, terms_option("endpoint", "this endpoint, e.g. HbA1c")] = None
    overlay: OverlayOption = None

    @property
    def everything(self) -> bool:
        """Whether nothing was chosen."""
        return not (self.study or self.family or self.population or self.product or self.endpoint)

    def registry(self) -> Registry:
        """Return the registry with the overlays."""
        return overlaid(self.overlay)

    def of(self, registry: Registry, controls: bool) -> list[Record]:
        """Return the rows that fit; `controls` also brings control groups of the chosen products."""

        def split(names: list[str] | None) -> list[str] | None:
            return names_option(names) if names else None

        # A product may contain a comma, so it is not split.
        return registry.select(
            study=split(self.study),
            family=split(self.family),
            population=split(self.population),
            product=self.product or None,
            endpoint=split(self.endpoint),
            tag=None,
            controls=controls,
        )


def shown_unit(unit: str) -> str:
    """Return a unit as it is shown: nothing for plain numbers."""
    return "" if unit == "1" else unit

"""Which data of real people a fit may name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from ...base.errors import ConfigError, not_among
from .deaths_of_people import DeathsOfPeople
from .new_type_1 import NewType1
from .survey_people import SurveyPeople
from .tolerance_tests import ToleranceTests
from .visit_variation import VisitVariation

if TYPE_CHECKING:
    from ..objective_protocol import RowSource

#: Sources of rows by name.
REAL_SOURCES: Mapping[str, Callable[[], RowSource]] = {
    source.name: source for source in (SurveyPeople, VisitVariation, NewType1, DeathsOfPeople, ToleranceTests)
}


def real_sources(names: Iterable[str] | None = None) -> list[RowSource]:
    """Return sources of rows of real people, ready to predict.

    Parameters
    ----------
    names
        Keys of `REAL_SOURCES`; None: all of them. Each follows virtual people once (10 s of processor time), unless the cache has them.

    Returns
    -------
    list of RowSource
        In the order of the names.

    Raises
    ------
    ConfigError
        There is no such source; all at once.

    Examples
    --------
    >>> from betapod.calibration.real_data.real_sources import real_sources
    >>> real_sources([])
    []
    """
    asked = list(REAL_SOURCES) if names is None else list(names)
    unknown = [name for name in asked if name not in REAL_SOURCES]
    if unknown:
        raise ConfigError(
            [
                not_among(REAL_SOURCES, "unknown-source", f"no data of real people are called {name!r}", name)
                for name in unknown
            ]
        )
    return [REAL_SOURCES[name]() for name in asked]

"""What is uncertain in a comparison, and its draws: rates of events, utilities, costs. The same draws go through all strategies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..base.constants import Z95
from ..base.randomness import Stream
from ..engine.draw import draw_parameters, varied
from ..hazards.complications.complication import complication_parameters
from ..hazards.outcome_rates import CAUSES
from ..hazards.risk import Numbers, hazard_parameters
from ..hazards.ukpds.ukpds_equations import ukpds_parameters
from ..health.utilities import utility_parameters, utility_set
from ..model.parameters.table import ParameterTable
from .country_pack import CountryPack
from .value_result import ValueParameter
from .value_settings import ValueSettings

#: Row of the log-SD of rates between studies of like people; one factor on all causes of `outcome_rates.CAUSES`.
BETWEEN_STUDIES = "between_studies"
#: Draws from which intervals of single parameters are read, apart from those of the comparison.
_FOR_INTERVALS = 2000


@dataclass(frozen=True)
class ParameterDraws:
    """Parameters of a comparison.

    Attributes
    ----------
    parameters
        Name -> parameter with its 95 % interval.
    drawn
        Name -> (draws,).
    structures
        Name -> the sets of events that read it; all others read it not at all.
    """

    parameters: Mapping[str, ValueParameter]
    drawn: Mapping[str, Numbers]
    structures: Mapping[str, tuple[str, ...]]

    def values(self, draw: int) -> dict[str, float]:
        """Return parameter -> value of one draw."""
        return {name: float(column[draw]) for name, column in self.drawn.items()}


def parameter_draws(settings: ValueSettings, pack: CountryPack | None, fixed: Iterable[str] = ()) -> ParameterDraws:
    """Return what is uncertain and its draws.

    Parameters
    ----------
    fixed
        Rows that keep a value of their own, such as those of a country's kidney care.
    """
    parameters: dict[str, ValueParameter] = {}
    drawn: dict[str, Numbers] = {}
    read_by: dict[str, tuple[str, ...]] = {}
    numbers, seed, skipped = np.arange(settings.draws), settings.seed, set(fixed)
    every = tuple(settings.events)

    def take(table: ParameterTable, names: list[str], kind: str, structures: tuple[str, ...]) -> None:
        names = [name for name in names if name not in skipped]
        columns = draw_parameters(table, seed, numbers, names)
        wide = draw_parameters(table, seed, np.arange(_FOR_INTERVALS), names, replicate=1)
        for name in names:
            low, high = np.quantile(wide[name], [0.025, 0.975])
            row = table[name]
            parameters[name] = ValueParameter(
                name, row.label, kind, row.value, float(low), float(high), row.unit, row.distribution, row.source,
                row.locator, row.grade, row.note,
            )  # fmt: skip
            drawn[name], read_by[name] = columns[name], structures

    if "own" in every:
        take(complication_parameters(), list(varied(complication_parameters())), "rate", ("own",))
        parameters[BETWEEN_STUDIES], drawn[BETWEEN_STUDIES] = _between_studies(settings)
        read_by[BETWEEN_STUDIES] = ("own",)
    if "ukpds-om2" in every:
        take(ukpds_parameters(), list(varied(ukpds_parameters())), "rate", ("ukpds-om2",))
    rows = utility_set(settings.utilities.set).rows()
    take(utility_parameters(), [name for name in varied(utility_parameters()) if name in rows], "utility", every)
    for parameter, column in _own_losses(settings):
        parameters[parameter.name], drawn[parameter.name], read_by[parameter.name] = parameter, column, every
    for parameter, column in _costs(settings, pack):
        parameters[parameter.name], drawn[parameter.name], read_by[parameter.name] = parameter, column, every
    named = {name: replace(row, structures=read_by[name]) for name, row in parameters.items()}
    return ParameterDraws(named, drawn, read_by)


def factors_of(values: Mapping[str, float]) -> dict[str, float]:
    """Return cause -> factor on its rate, of the difference between studies of like people."""
    factor = float(np.exp(values.get(BETWEEN_STUDIES, 0.0)))
    return dict.fromkeys(CAUSES, factor)


def _between_studies(settings: ValueSettings) -> tuple[ValueParameter, Numbers]:
    row = hazard_parameters()[BETWEEN_STUDIES]
    column = row.value * Stream(settings.seed, "value:between studies").normal(np.arange(settings.draws))
    half = Z95 * row.value
    label = "log factor on rates of death, heart, kidney injury, hypoglycaemia and harms: studies of like people differ"
    distribution = f"normal(0, {row.value:g})"
    parameter = ValueParameter(
        BETWEEN_STUDIES,
        label,
        "rate",
        0.0,
        -half,
        half,
        "1",
        distribution,
        row.source,
        row.locator,
        row.grade,
        row.note,
    )
    return parameter, column


def _own_losses(settings: ValueSettings) -> Iterable[tuple[ValueParameter, Numbers]]:
    """Yield a user's own losses of quality of life that have an interval."""
    for name, entry in settings.utilities.losses.items():
        if entry.low is None or entry.high is None or entry.high <= entry.low:
            continue
        key, sd = f"utility:{name}", (entry.high - entry.low) / (2 * Z95)
        column = entry.loss + sd * Stream(settings.seed, key).normal(np.arange(settings.draws))
        label, distribution = f"loss of utility: {name}", f"normal({entry.loss:g}, {sd:.3g})"
        yield (
            ValueParameter(key, label, "utility", entry.loss, entry.low, entry.high, "1", distribution, entry.source),
            np.clip(column, -1.0, 2.0),
        )


def _costs(settings: ValueSettings, pack: CountryPack | None) -> Iterable[tuple[ValueParameter, Numbers]]:
    """Yield the costs of a pack that have an interval: gamma distributions with its mean and the SD of its interval."""
    from scipy import stats

    if pack is None:
        return
    for name, cost in pack.named().items():
        if not cost.uncertain or cost.cost <= 0.0:
            continue
        assert cost.low is not None and cost.high is not None
        sd = (cost.high - cost.low) / (2 * Z95)
        shape = (cost.cost / sd) ** 2
        key = f"cost:{name}"
        uniform = Stream(settings.seed, f"value:{key}").uniform(np.arange(settings.draws))
        low, high = stats.gamma.ppf([0.025, 0.975], shape, scale=cost.cost / shape)
        source = cost.source or pack.source
        parameter = ValueParameter(
            key, f"cost of {name.partition(':')[2]}", "cost", cost.cost, float(low), float(high), pack.currency,
            f"gamma, mean {cost.cost:g}, SD {sd:.3g}", source, "", "", cost.note,
        )  # fmt: skip
        yield parameter, np.asarray(stats.gamma.ppf(uniform, shape, scale=cost.cost / shape))

"""Run a comparison of strategies: courses, lives in every draw, sums, and what is kept of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path

import numpy as np

from ..base.config import Document, read_quantity
from ..base.constants import DAYS_PER_YEAR
from ..base.cores import cores
from ..base.errors import ConfigError, Problem
from ..hazards.risk import Numbers, RiskProfile
from ..health.courses import CourseSettings, simulate_courses
from ..health.strategy import Strategy
from ..therapies.standard_care import therapy
from .comparison_checks import country_packs, read_value_run
from .draw_blocks import Block, BlockWorkers
from .economics.frontier import icer_error
from .fitted_courses import courses_under_draws, draws_asked
from .missing_numbers import missing_numbers
from .parameter_draws import ParameterDraws, parameter_draws
from .value_part import ComparedPeople, ValuePart
from .value_people import people_of
from .value_result import VALUE_MEASURES, ValueResult
from .value_settings import ValueSettings, ValueStrategy

ValueProgress = Callable[[str, int, int], None]
#: People who go through all draws together, and draws of one piece of work.
PEOPLE_OF_PART, DRAWS_OF_BLOCK = 5000, 25
#: People times courses that are made ready at once: what they need stays below 2 GB.
_MOST_READY = 60_000
#: People in whom one number at a time is moved.
_PEOPLE_MOVED = 1000
#: Years of costs that are kept for a budget.
BUDGET_YEARS = 10
Keep = Callable[[tuple[int, str, int], Callable[[], Block]], Block]


def run_value_file(
    path: str | Path, draws: int | None = None, country: str | None = None, threads: int | None = None,
    progress: ValueProgress | None = None, keep: Keep | None = None, fit: str | None = None, fit_draws: int | None = None,
) -> ValueResult:  # fmt: skip
    """Run the comparison of a file.

    Parameters
    ----------
    draws, country
        Instead of those of the file; the country pack's path is relative to where the command is given.
    keep
        Gives a finished piece of an earlier run, or computes and keeps it; see `value_folder`.
    fit, fit_draws
        Instead of those of the file.

    Raises
    ------
    ConfigError
        Everything that is wrong with the file, or nobody fits its people.
    """
    settings, document = read_value_run(path)
    return run_value_settings(
        *adapted_settings(settings, document, draws, country, fit, fit_draws), threads, progress, keep
    )


def adapted_settings(
    settings: ValueSettings, document: Document, draws: int | None = None, country: str | None = None,
    fit: str | None = None, fit_draws: int | None = None,
) -> tuple[ValueSettings, Path]:  # fmt: skip
    """Return the settings with other draws, another country or fit, and the folder that files are relative to.

    Raises
    ------
    ConfigError
        Draws that are too few, or a fit that is not there.
    """
    folder = Path(document.file).parent
    changes: dict[str, object] = {}
    if fit is not None:
        changes["fit"] = fit
    if fit_draws is not None:
        changes["fit_draws"] = fit_draws
    if draws is not None:
        if draws < 2:
            raise ConfigError(Problem("bad-number", "a comparison needs two draws at least", found=str(draws)))
        changes["draws"] = draws
    if country is not None:
        changes["country"] = str(Path(country).resolve())
    adapted = settings.model_copy(update=changes)
    draws_asked(adapted)
    return adapted, folder


def run_value_settings(
    settings: ValueSettings,
    folder: Path,
    threads: int | None = None,
    progress: ValueProgress | None = None,
    keep: Keep | None = None,
) -> ValueResult:
    """Run a comparison; see `run_value_file`."""
    tell = progress or (lambda text, done, total: None)
    packs = country_packs(settings, folder)
    people = people_of(settings.people, folder, settings.seed)

    def strategies() -> dict[str, Strategy]:
        return {name: strategy_of(item, name) for name, item in settings.strategies.items()}

    years = None if settings.horizon == "life" else float(settings.horizon)
    following = CourseSettings(
        years=years, step=settings.step, care=settings.care, draws=settings.cell_draws, seed=settings.seed
    )
    asked, words = draws_asked(settings), lambda text: tell(text, 0, 0)
    if asked is None:
        courses = simulate_courses(people, strategies(), following, threads, progress=words)
    else:
        courses = courses_under_draws(people, strategies, following, asked, threads, words)
    pack = packs[""]
    fixed = ComparedPeople(settings, courses, packs, ParameterDraws({}, {}, {})).fixed()
    compared = ComparedPeople(settings, courses, packs, parameter_draws(settings, pack, fixed))
    return _Comparison(compared, threads, tell, keep).result()


def strategy_of(item: ValueStrategy, name: str = "") -> Strategy:
    """Return what a strategy gives, in the units of the model."""
    from ..physiology import whole_body

    rows = whole_body.named_model("reference").inputs if item.inputs else {}
    values = {
        key: read_quantity(value, rows[key].unit, rows[key].label, rows[key].unit == "1", subject=f"{name} {key}")
        for key, value in item.inputs.items()
    }
    therapies = tuple(
        therapy(drug.therapy, drug.start, np.inf if drug.stop is None else drug.stop, drug.adherence)
        for drug in item.therapies
    )
    return Strategy(item.cells or "", item.scenario, therapies, values)


class _Comparison:
    """A comparison while it is run, part by part."""

    def __init__(self, compared: ComparedPeople, threads: int | None, tell: ValueProgress, keep: Keep | None) -> None:
        self.compared, self.settings = compared, compared.settings
        self.threads, self.tell = threads or cores(), tell
        self.keep: Keep = keep or (lambda key, compute: compute())
        self.people = len(compared.courses.people)
        self.names = tuple(self.settings.strategies)
        size = min(PEOPLE_OF_PART, max(_MOST_READY // len(compared.courses.courses), 200), self.people)
        self.slices = [slice(start, min(start + size, self.people)) for start in range(0, self.people, size)]
        self.drawn: dict[str, list[dict[str, Numbers]]] = {}
        self.central: dict[str, list[list[dict[str, Numbers]]]] = {name: [] for name in self.settings.events}
        self.free: dict[str, list[list[dict[str, float]]]] = {name: [] for name in self.settings.events}
        self.scenarios: dict[str, dict[str, list[list[dict[str, float]]]]] = {}
        self.yearly: dict[str, Numbers] = {}
        self.one_way: dict[str, dict[str, Numbers]] = {}

    def result(self) -> ValueResult:
        blocks = range(0, self.settings.draws, DRAWS_OF_BLOCK)
        total, done = len(self.slices) * len(self.settings.events) * len(blocks), 0
        sums: dict[str, list[dict[str, list[Numbers]]]] = {
            name: [{} for _ in self.names] for name in self.settings.events
        }
        with ThreadPoolExecutor(self.threads) as executor, BlockWorkers(self.compared, self.threads) as workers:
            if self.settings.one_way:
                self._one_way(ValuePart(self.compared, slice(0, min(_PEOPLE_MOVED, self.people))), executor)
            for number, rows in enumerate(self.slices):
                part = ValuePart(self.compared, rows)
                if not workers.apart:
                    part.prepare()
                self._central(part)
                for structure in self.settings.events:
                    jobs = [executor.submit(self._block, workers, part, number, structure, first) for first in blocks]
                    done_blocks = []
                    for job in jobs:
                        done_blocks.append(job.result())
                        done += 1
                        self.tell("living through the draws", done, total)
                    _add(sums[structure], done_blocks)
        return self._made(sums)

    def _block(self, workers: BlockWorkers, part: ValuePart, number: int, structure: str, first: int) -> Block:
        last = min(first + DRAWS_OF_BLOCK, self.settings.draws)

        def compute() -> Block:
            return workers.block(part, structure, first, last)

        return self.keep((number, structure, first), compute)

    # -- central values ----------------------------------------------------------------------------------------------

    def _central(self, part: ValuePart) -> None:
        for structure in self.settings.events:
            lived = [part.lived(structure, name, None, healthy=True) for name in self.names]
            self.central[structure].append([item.measures for item in lived])
            self.free[structure].append([{"healthy": float(item.free_years["healthy"].sum())} for item in lived])
            for scenario in self.settings.scenarios:
                sums = [
                    {key: float(v.sum()) for key, v in part.scenario(structure, name, scenario).items()}
                    for name in self.names
                ]
                self.scenarios.setdefault(scenario, {}).setdefault(structure, []).append(sums)
            if self.compared.pack is not None:
                years = min(BUDGET_YEARS, int((self.compared.courses.days[-1] + 1.0) // DAYS_PER_YEAR))
                spent = np.array([part.yearly_costs(structure, name, years) for name in self.names])
                self.yearly[structure] = self.yearly.get(structure, 0.0) + spent

    def _one_way(self, part: ValuePart, executor: ThreadPoolExecutor) -> None:
        """Move one parameter at a time, in the first of the people; the difference is what counts."""
        for structure in self.settings.events:
            base = part.central_sums(structure)
            names = [n for n, read_by in self.compared.draws.structures.items() if structure in read_by]
            self.tell("moving one number at a time", 0, 0)

            def compute(structure: str = structure, names: Sequence[str] = tuple(names)) -> Block:
                moved = executor.map(self._moved, [part] * len(names), [structure] * len(names), names)
                return [dict(zip(names, moved, strict=True))]

            (moved,) = self.keep((0, f"{structure}-one-way", 0), compute)
            self.one_way[structure] = {name: (values - base) / part.people for name, values in moved.items()}

    def _moved(self, part: ValuePart, structure: str, name: str) -> Numbers:
        """Return (2, 2, strategies) sums at the low and at the high value of a parameter."""
        row = self.compared.draws.parameters[name]
        return np.array([part.moved(structure, name, end) for end in (row.low, row.high)])

    # -- the result --------------------------------------------------------------------------------------------------

    def _made(self, sums: Mapping[str, Sequence[Mapping[str, list[Numbers]]]]) -> ValueResult:
        means = {s: _means(of_strategies, self.people) for s, of_strategies in sums.items()}
        people: dict[str, dict[str, Numbers]] = {s: self._people(s) for s in self.settings.events}
        central: dict[str, dict[str, Numbers]] = {
            s: {m: np.asarray(values.mean(axis=1)) for m, values in of.items()} for s, of in people.items()
        }
        costed = self.compared.pack is not None
        one_way = {
            s: {name: delta + _stack(central[s]) for name, delta in rows.items()} for s, rows in self.one_way.items()
        }
        return ValueResult(
            run=self.settings.model_dump(mode="json", by_alias=True),
            strategies=self.names,
            comparator=self.settings.comparator,
            structures=tuple(self.settings.events),
            years={s: means[s]["measures"]["years"] for s in means},
            life_years={s: means[s]["measures"]["life_years"] for s in means},
            qalys={s: means[s]["measures"]["qalys"] for s in means},
            costs={s: means[s]["measures"]["costs"] for s in means} if costed else {},
            items={s: means[s].get("items", {}) for s in means} if costed else {},
            events={s: means[s]["events"] for s in means},
            free_years={s: means[s]["free_years"] | self._healthy(s) for s in means},
            person_qalys={s: people[s]["qalys"] for s in people},
            person_costs={s: people[s]["costs"] for s in people} if costed else {},
            person_years={s: people[s]["years"] for s in people},
            baseline=self._baseline(),
            weights=np.full(self.people, 1.0 / self.people),
            drawn=self.compared.draws.drawn,
            parameters=self.compared.draws.parameters,
            central=central,
            one_way=one_way,
            scenarios=self._scenarios(),
            monte_carlo={s: _errors(people[s], self.names.index(self.settings.comparator)) for s in people},
            cell_courses=np.array([float(bool(item.cells)) for item in self.settings.strategies.values()]),
            yearly_costs={s: spent / self.people for s, spent in self.yearly.items()},
            currency=self.compared.pack.currency if self.compared.pack is not None else None,
            price_year=self.compared.pack.price_year if self.compared.pack is not None else None,
            missing=missing_numbers(self.compared),
        )

    def _people(self, structure: str) -> dict[str, Numbers]:
        """Return measure -> (strategies, people)."""
        parts = self.central[structure]
        return {
            name: np.array([np.concatenate([part[s][name] for part in parts]) for s in range(len(self.names))])
            for name in parts[0][0]
        }

    def _healthy(self, structure: str) -> dict[str, Numbers]:
        """Return years of being healthy again, at central values: it follows from the courses, not from what is drawn."""
        total = [sum(part[s]["healthy"] for part in self.free[structure]) for s in range(len(self.names))]
        row = np.asarray(total) / self.people
        return {"healthy": np.repeat(row[:, None], self.settings.draws, axis=1)}

    def _scenarios(self) -> dict[str, dict[str, dict[str, Numbers]]]:
        return {
            name: {
                structure: {
                    key: np.array([sum(part[s][key] for part in parts) for s in range(len(self.names))]) / self.people
                    for key in parts[0][0]
                }
                for structure, parts in by_structure.items()
            }
            for name, by_structure in self.scenarios.items()
        }

    def _baseline(self) -> dict[str, Numbers]:
        course = self.compared.courses.risk(self.settings.comparator)
        columns = {item.name: np.asarray(getattr(course.profile, item.name)) for item in fields(RiskProfile)}
        shape = (course.people, len(course.days))
        start = {name: np.broadcast_to(values, shape)[:, 0].astype(np.float64) for name, values in columns.items()}
        return start | {f"history: {name}": np.asarray(v, dtype=float) for name, v in course.histories.items()}


def _add(sums: list[dict[str, list[Numbers]]], blocks: Sequence[Block]) -> None:
    """Add the draws of a part to the sums of others."""
    for number, of_strategy in enumerate(sums):
        keys = dict.fromkeys(key for block in blocks for key in block[number])
        for key in keys:
            length = [len(next(iter(block[number].values()))) for block in blocks]
            parts = [block[number].get(key, np.zeros(n)) for block, n in zip(blocks, length, strict=True)]
            of_strategy.setdefault(key, []).append(np.concatenate(parts))


def _means(of_strategies: Sequence[Mapping[str, list[Numbers]]], people: int) -> dict[str, dict[str, Numbers]]:
    """Return section -> name -> (strategies, draws) means over all people."""
    keys = dict.fromkeys(key for sums in of_strategies for key in sums)
    draws = len(next(iter(of_strategies[0].values()))[0])
    means: dict[str, dict[str, Numbers]] = {}
    for key in keys:
        section, _, name = key.partition("/")
        rows = [np.sum(sums[key], axis=0) if key in sums else np.zeros(draws) for sums in of_strategies]
        means.setdefault(section, {})[name] = np.array(rows) / people
    return means


def _stack(central: Mapping[str, Numbers]) -> Numbers:
    """Return (2, strategies) QALYs and costs."""
    return np.array([central["qalys"], central.get("costs", np.full_like(central["qalys"], np.nan))])


def _errors(people: Mapping[str, Numbers], reference: int) -> dict[str, Numbers]:
    """Return standard errors of means over people: people and chance together, those of differences in the same people."""
    count = people["qalys"].shape[1]
    errors = {
        name: values.std(axis=1, ddof=1) / np.sqrt(count) for name, values in people.items() if name in VALUE_MEASURES
    }
    more = {name: values - values[reference] for name, values in people.items()}
    errors |= {f"incremental_{name}": values.std(axis=1, ddof=1) / np.sqrt(count) for name, values in more.items()}
    if "costs" in more:
        ratios = []
        for cost, gain in zip(more["costs"], more["qalys"], strict=True):
            covariance = np.cov(cost, gain) / count
            variances = (float(covariance[0, 0]), float(covariance[1, 1]), float(covariance[0, 1]))
            ratios.append(icer_error(float(cost.mean()), float(gain.mean()), variances))
        errors["icer"] = np.array(ratios)
    return errors

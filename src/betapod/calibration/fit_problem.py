"""A fit problem over published rows and real people: read from its file, and the objective of each of its stages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

from ..base.config import Document, check_document, parse_yaml, read_yaml
from ..base.cores import cores
from ..base.errors import BetapodError, ConfigError, Problem, did_you_mean
from ..evidence.records.registry import Registry
from ..evidence.records.study import Record
from ..validation.predictions.condition import Condition
from ..validation.predictions.studies import arms, sort
from ..validation.predictions.study_tables import NO_TABLES, StudyTables, using_tables
from .fit_objective import FitObjective
from .fit_settings import FitSettings, RowSelection, UnknownSettings
from .named_unknowns import candidate_rows, unknown_named
from .objective_protocol import RowSource
from .own_tables import OwnTables, own_tables_of
from .published_rows import PublishedRows
from .row_split import set_aside_families, treatment_class
from .row_words import wrong_row_words
from .unknown import Unknown, condition_at

#: Fit problems of the package.
FOLDER = Path(__file__).parent / "problems"


@dataclass(frozen=True)
class FitStage:
    """A stage: what it looks for in which rows.

    Attributes
    ----------
    rounds
        How often people are chosen anew under what was found.
    weighed
        Whether people of the sources are weighed, see `real_data.weighed_around`.
    """

    name: str
    unknowns: tuple[Unknown, ...]
    selection: RowSelection | None
    sources: tuple[str, ...] = ()
    rounds: int = 2
    weighed: bool = False


@dataclass(frozen=True)
class FitProblem:
    """A problem, checked; a `staged_problem.StagedProblem`.

    Attributes
    ----------
    text
        The file as it was read.
    records
        Rows that the model can simulate, of all stages.
    set_aside
        Families that are kept for validation.
    cell_studies
        Studies in which any group was given cells; `cells: false` leaves out their controls too.
    of_user
        Tables of a user's own.

    Examples
    --------
    >>> from betapod.calibration.fit_problem import FitProblem
    >>> problem = FitProblem.read("body")
    >>> [stage.name for stage in problem.stages][0]
    'haemodynamics'
    """

    settings: FitSettings
    text: str
    stages: tuple[FitStage, ...]
    unknowns: Mapping[str, Unknown]
    records: tuple[Record, ...] = field(repr=False)
    set_aside: frozenset[str] = frozenset()
    cell_studies: frozenset[str] = frozenset()
    of_user: OwnTables | None = field(default=None, repr=False)

    @classmethod
    def read(cls, path: str | Path, evidence: Registry | None = None) -> FitProblem:
        """Read a problem: a file, or the name of one of the package.

        Raises
        ------
        ConfigError
            Everything that is wrong with it, with line and column.
        """
        packaged = FOLDER / f"{path}.yaml"
        document = read_yaml(packaged if packaged.is_file() else path)
        return cls._of(document, evidence)

    @classmethod
    def parsed(cls, text: str, file: str = "<text>", evidence: Registry | None = None) -> FitProblem:
        """Read a problem that is in memory; errors as of `read`."""
        return cls._of(parse_yaml(text, file), evidence)

    @classmethod
    def _of(cls, document: Document, evidence: Registry | None) -> FitProblem:
        if isinstance(document.data, dict) and document.data.get("kind", "published") != "published":
            named = str(document.data["kind"])
            message, kinds = f"there is no kind of fit {named!r}", ("published", "individual")
            hint = did_you_mean(named, kinds)
            raise ConfigError(
                document.problem("unknown-choice", message, ("kind",), expected=" or ".join(kinds), hint=hint)
            )
        of_user = own_tables_of(document, evidence)
        settings = check_document(
            FitSettings,
            document,
            lambda of: chain(of_user.problems, _across(of), wrong_row_words(of, of_user.registry)),
        )
        unknowns = {
            name: unknown_named(name, of_file, settings.scenario) for name, of_file in settings.unknowns.items()
        }
        stages = tuple(
            FitStage(
                stage.name,
                tuple(unknowns[name] for name in stage.unknowns),
                None if stage.rows == "none" else stage.rows,
                tuple(stage.sources),
                stage.rounds,
                stage.weighed,
            )
            for stage in settings.stages
        )
        published = of_user.registry.select()
        with using_tables(of_user.studies):
            of_cells = studies_of_cells(published)
            can, _ = sort(published)
            records = tuple(record for record in can if _fits(record, settings.rows, of_cells))
        aside = set_aside_families(records, settings.split.testing, settings.split.seed)
        return cls(settings, document.text, stages, unknowns, records, aside, of_cells, of_user)

    @property
    def name(self) -> str:
        """Of the problem."""
        return self.settings.name

    @property
    def seed(self) -> int:
        """Of random numbers."""
        return self.settings.seed

    @property
    def discrepancy(self) -> Mapping[str, float]:
        """Scale of the prior of what the model lacks, by class of rows."""
        return self.settings.discrepancy

    @property
    def tables(self) -> StudyTables:
        """How studies of a user's own tables are simulated."""
        return NO_TABLES if self.of_user is None else self.of_user.studies

    @property
    def tables_digest(self) -> str:
        """Digest of a user's own tables; empty without any."""
        return "" if self.of_user is None else self.of_user.digest

    def stage_named(self, name: str) -> FitStage:
        """Return a stage.

        Raises
        ------
        KeyError
            There is none of that name.
        """
        return {stage.name: stage for stage in self.stages}[name]

    def rows_of(self, stage: str | None) -> tuple[Record, ...]:
        """Return the rows of a stage, or of all."""
        if stage is not None:
            selection = self.stage_named(stage).selection
            if selection is None:
                return ()
            with using_tables(self.tables):
                return tuple(record for record in self.records if _fits(record, selection, self.cell_studies))
        wanted = {record.id for part in self.stages for record in self.rows_of(part.name)}
        return tuple(record for record in self.records if record.id in wanted)

    def objective(
        self,
        stage: str | None,
        held: Mapping[str, float],
        threads: int | None = None,
        around: Mapping[str, float] | None = None,
    ) -> FitObjective:
        """Return the objective of a stage, or of all together.

        Parameters
        ----------
        held
            Unknowns of other stages -> value.
        around
            Unknowns -> value under which people are chosen; at their start unless given.
        """
        of_stage = self.stages if stage is None else (self.stage_named(stage),)
        unknowns = tuple(dict.fromkeys(unknown for part in of_stage for unknown in part.unknowns))
        return self._objective(stage, unknowns, held, threads, around or {})

    def screening(self, stage: str, threads: int | None = None) -> FitObjective:
        """Return the objective of a stage over all candidates for its unknowns."""
        wanted = next(part for part in self.settings.stages if part.name == stage)
        names = dict.fromkeys(
            (
                *wanted.unknowns,
                *wanted.candidates.names,
                *candidate_rows(list(wanted.candidates.tables), wanted.candidates.roles),
            )
        )
        unknowns = tuple(
            self.unknowns.get(name) or unknown_named(name, UnknownSettings(), self.settings.scenario) for name in names
        )
        return self._objective(stage, unknowns, {}, threads, {})

    def _objective(
        self,
        stage: str | None,
        unknowns: Sequence[Unknown],
        held: Mapping[str, float],
        threads: int | None,
        around: Mapping[str, float],
    ) -> FitObjective:
        start = Condition(self.settings.scenario)
        base = _condition(self.unknowns, held, start)
        anchor = _condition({unknown.name: unknown for unknown in unknowns}, around, base)
        sources = [*self._published(stage, start, threads), *self._others(stage, anchor)]
        return FitObjective(unknowns, sources, base, threads or cores(), anchor)

    def _published(self, stage: str | None, start: Condition, threads: int | None) -> Iterator[RowSource]:
        records = self.rows_of(stage)
        if not records:
            return
        fitted = {record.id: record.family not in self.set_aside for record in records}
        people = self.settings.people
        yield PublishedRows(
            records, fitted, start, people.count, people.seed, threads, tables=self.tables, levels=people.levels
        )

    def _others(self, stage: str | None, anchor: Condition) -> Iterator[RowSource]:
        of_stage = [part for part in self.stages if stage in (None, part.name)]
        lived = dict.fromkeys(name for part in of_stage if not part.weighed for name in part.sources)
        weighed = dict.fromkeys(name for part in of_stage if part.weighed for name in part.sources if name not in lived)
        if not lived and not weighed:
            return
        from .real_data.real_sources import real_sources
        from .real_data.weighed_around import WeighedAround

        yield from real_sources(lived)
        people = {unknown.name for part in of_stage if part.weighed for unknown in part.unknowns}
        yield from (WeighedAround(source, people, anchor) for source in real_sources(weighed))


def _condition(unknowns: Mapping[str, Unknown], values: Mapping[str, float], base: Condition) -> Condition:
    """Return a condition with values of some unknowns."""
    some = [unknowns[name] for name in values if name in unknowns]
    return condition_at(some, [float(unknown.place(values[unknown.name])) for unknown in some], base)


def studies_of_cells(records: Iterable[Record]) -> frozenset[str]:
    """Return the studies in which any group was given cells, simulated or not."""
    of_arms = {study for (study, _), arm in arms().items() if arm.cells}
    return frozenset(of_arms | {record.study for record in records if treatment_class(record) == "cells"})


def _fits(record: Record, selection: RowSelection, of_cells: frozenset[str]) -> bool:
    low, high = selection.weeks
    has_cells = bool(arms()[record.study, record.arm].cells)
    return (
        (not selection.endpoints or record.endpoint in selection.endpoints)
        and (not selection.classes or treatment_class(record) in selection.classes)
        and (not selection.families or record.family in selection.families)
        and (not selection.studies or record.study in selection.studies)
        and low <= (record.weeks or 0.0) <= high
        # Controls of trials of cells are rows of these trials as well.
        and (selection.cells is None or (has_cells if selection.cells else record.study not in of_cells))
        and not {record.family, record.study, record.id, record.endpoint} & set(selection.exclude)
    )


def _across(document: Document) -> Iterator[Problem]:
    """Yield what is wrong between the parts of the file."""
    unknowns, stages = document.data.get("unknowns"), document.data.get("stages")
    if not isinstance(unknowns, dict) or not isinstance(stages, list):
        return
    scenario = str(document.data.get("scenario", Condition().scenario))
    for name, of_file in unknowns.items():
        try:
            settings = UnknownSettings.model_validate(of_file or {})
            unknown_named(str(name), settings, scenario)
        except BetapodError as error:
            for problem in error.problems:
                yield replace(problem, location=document.place(("unknowns", name), key=True))
        except ValueError:
            continue  # said by the check of the file itself
    looked_for: set[str] = set()
    names: set[str] = set()
    for number, stage in enumerate(stages):
        if not isinstance(stage, dict):
            continue
        if stage.get("name") in names:
            where = document.place(("stages", number, "name"))
            yield Problem("twice", f"there are two stages {stage['name']!r}", where)
        names.add(str(stage.get("name")))
        of_stage = stage.get("unknowns")
        for index, name in enumerate(of_stage if isinstance(of_stage, list) else []):
            looked_for.add(name)
            if name not in unknowns:
                where = document.place(("stages", number, "unknowns", index))
                hint = did_you_mean(str(name), [str(other) for other in unknowns])
                yield Problem("unknown-name", f"no unknown {name!r} is among the unknowns", where, hint=hint)
    for name in unknowns:
        if name not in looked_for:
            where = document.place(("unknowns", name), key=True)
            yield Problem(
                "no-stage", f"no stage looks for {name!r}", where, hint="Name it in a stage, or leave it out."
            )

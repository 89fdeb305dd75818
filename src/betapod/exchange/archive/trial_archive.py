"""One person of a trial in every arm, as a COMBINE archive: a model, a task and results for each arm, and plots that compare them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...base.arguments import instance
from ...base.arguments import path as path_of
from ...base.errors import ConfigError, Location, Problem, did_you_mean, not_among
from ...base.files import replacing
from ...engine.schedule import Schedule
from ...model import Model
from ...observables.quantities import visit_observables
from ...physiology import whole_body
from ...therapies.scenarios import CURRENT_EVIDENCE, NONE, SCENARIOS
from ...trials.conduct.arm_schedules import Planner
from ...trials.conduct.trial_people import protocol_people
from ...trials.protocol.protocol import Protocol
from ...trials.protocol.protocol_files import find_protocol
from .omex import ArchiveFile, omex_bytes
from .sedml import TimeCourse, compared_sedml_text
from .write_archive import RTOL, archived_run, check_even, cited_works

if TYPE_CHECKING:
    from ...patients.library import Library

#: People of whom the one in the middle is taken, and what they are compared by; logarithms of the second ones.
_DRAWN, _COMPARED = 200, {"true_egfr": False, "true_hba1c": False, "age": False, "true_uacr": True}


@dataclass(frozen=True)
class ArmCourse:
    """What one person goes through in an arm.

    Attributes
    ----------
    model
        With the person's own values, under the scenario.
    initial
        States at the start, before enrolment.
    words
        What is given, in words.
    """

    arm: str
    label: str
    model: Model
    schedule: Schedule
    initial: Mapping[str, float]
    words: tuple[str, ...]


@dataclass(frozen=True)
class TrialArchive:
    """An archive that was written.

    Attributes
    ----------
    person
        Number of the person in the library.
    facts
        Who that is, in words.
    arms
        What is given in each arm, in words.
    """

    path: Path
    person: int
    facts: str
    scenario: str
    arms: Mapping[str, tuple[str, ...]]


def write_trial_archive(
    protocol: str | Path | Protocol,
    path: str | Path,
    scenario: str | None = None,
    step: float = 1.0,
    outputs: Sequence[str] | None = None,
    person: int | None = None,
    nested: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> TrialArchive:
    """Write what one person goes through in every arm of a trial as a COMBINE archive.

    Chance events, rescue and co-medication that only some begin are no part of it, and neither is error of measurement.

    Parameters
    ----------
    protocol
        One of ``list_protocols``, a YAML file, or a protocol.
    path
        File, ``.omex``.
    scenario
        What cells do; by default ``current-evidence``, or the protocol's first scenario where it has not that one.
    step
        Days between rows; divides the days from the start before enrolment to the last visit.
    outputs
        Quantities of the whole model; by default those that the protocol measures.
    person
        Number in the library of patients, of somebody who may be enrolled; by default the one in the middle of 200 who are.
    nested
        As of ``write_archive``.
    progress
        Is told what is done.

    Returns
    -------
    TrialArchive
        The file, and who is in it.

    Raises
    ------
    ConfigError
        Unknown names; somebody who may not be enrolled.
    ExchangeError
        A step that does not divide the time.
    SolverError
        A simulation cannot be carried out.

    Examples
    --------
    >>> import betapod, pathlib, tempfile
    >>> archive = pathlib.Path(tempfile.mkdtemp()) / "placebo.omex"
    >>> trial = betapod.load_protocol("skyler2015")
    >>> alone = trial.model_copy(update={"arms": {"placebo": trial.arms["placebo"]}})
    >>> betapod.write_trial_archive(alone, archive, step=49.0, outputs=["HbA1c"]).scenario
    'current-evidence'
    """
    plan = protocol if isinstance(protocol, Protocol) else find_protocol(protocol)
    instance("protocol", plan, Protocol, "a protocol, or the name of one")
    target = path_of("path", path)
    model = whole_body.named_model("reference")
    chosen_scenario, names = _asked(plan, scenario, outputs, model)
    end = plan.lead + plan.days[-1]
    count = round(end / step) if step > 0.0 else 0
    visits = np.arange(count + 1) * step if abs(count * step - end) <= 1e-9 * end else np.array([0.0, step, end])
    check_even(visits)
    tell = progress or (lambda activity, done, of: None)
    tell("choosing a person", 0, 0)
    patient = _person(plan, person)
    courses = arm_courses(plan, patient, model, chosen_scenario)
    files, runs = [], {}
    for number, course in enumerate(courses, start=1):
        tell("simulating arms", number - 1, len(courses))
        run = archived_run(course.model, visits, course.schedule, course.initial, names, nested)
        stem = re.sub(r"\W+", "_", course.arm)
        files += [ArchiveFile(f"{stem}.xml", "sbml", run.sbml), ArchiveFile(f"results_{stem}.csv", "csv", run.csv)]
        runs[course.arm] = TimeCourse(f"{stem}.xml", float(visits[-1]), count, run.labels, course.arm, RTOL)
    facts = _facts(patient)
    title = f"{plan.name}: one person in every arm"
    files.append(ArchiveFile("simulation.sedml", "sedml", compared_sedml_text(runs, plan.name), master=True))
    files.append(ArchiveFile("README.txt", "text", _readme(plan, chosen_scenario, facts, courses)))
    content = omex_bytes(files, title, cited_works(courses[0].model))
    with replacing(target) as temporary:
        temporary.write_bytes(content)
    number = int(patient.table["person"].iloc[0])
    return TrialArchive(target, number, facts, chosen_scenario, {course.arm: course.words for course in courses})


def arm_courses(protocol: Protocol, person: Library, model: Model, scenario: str) -> list[ArmCourse]:
    """Return what a person goes through in every arm, from the start before enrolment on.

    Parameters
    ----------
    person
        A library of one.
    model
        The whole model.
    scenario
        What cells do in arms that have any.
    """
    planner = Planner(protocol, person, model, protocol.seed)
    personal = {name: float(values[0]) for name, values in person.parameters.items() if name in model.names}
    initial = {name: float(values[0]) for name, values in person.initial.items()}
    courses = []
    for name, arm in protocol.arms.items():
        therapies = planner.therapies(arm, False)
        treatment = planner.plan(therapies, arm, arm.cells or "", scenario if arm.cells else NONE)
        words = tuple(treatment.understood) or ("nothing besides the person's own care",)
        changed = treatment.model.with_values(personal)
        courses.append(ArmCourse(name, arm.label, changed, treatment.schedule, initial, words))
    return courses


def _asked(
    protocol: Protocol, scenario: str | None, outputs: Sequence[str] | None, model: Model
) -> tuple[str, list[str]]:
    """Return the scenario and the outputs, all that is wrong with them at once."""
    problems = []
    usual = CURRENT_EVIDENCE if CURRENT_EVIDENCE in protocol.scenarios else protocol.scenarios[0]
    if scenario is not None and scenario not in SCENARIOS:
        problems.append(not_among(SCENARIOS, "unknown-scenario", f"there is no scenario {scenario!r}", scenario))
    reported = {*model.state_names, *model.assignments}
    names = list(dict.fromkeys(outputs)) if outputs is not None else _measured(protocol, reported)
    for name in names:
        if name not in reported:
            message, hint = f"the model reference has no state or equation {name!r}", did_you_mean(name, reported)
            problems.append(Problem("unknown-name", message, Location("outputs"), hint=hint))
    if problems:
        raise ConfigError(problems)
    return scenario or usual, names


def _measured(protocol: Protocol, reported: set[str]) -> list[str]:
    """Return what the protocol measures and the model has as one quantity."""
    of_codes = visit_observables()
    names = [of_codes[code].model for code in protocol.codes if code in of_codes]
    return [name for name in dict.fromkeys(names) if name in reported] or ["GFR", "UACR", "HbA1c"]


def _person(protocol: Protocol, number: int | None) -> Library:
    """Return one person who may be enrolled.

    Raises
    ------
    ConfigError
        That one may not.
    """
    if number is not None:
        from ...patients.library import default
        from ...trials.conduct.candidates import choose

        people = choose(protocol, default(), protocol.seed).library
        places = np.flatnonzero(people.table["person"].to_numpy() == number)
        if not len(places):
            message = f"person {number} of the library may not be enrolled in {protocol.name}"
            hint = f"Such may be: {', '.join(str(n) for n in people.table['person'].head(5))}."
            raise ConfigError(Problem("unknown-person", message, Location("person"), hint=hint))
        return people.take(places[:1])
    people = protocol_people(protocol, _DRAWN).library
    distance = np.zeros(len(people))
    for name, logarithmic in _COMPARED.items():
        values = people.table[name].to_numpy(dtype=np.float64)
        values = np.log(np.maximum(values, 1e-3)) if logarithmic else values
        spread = float(np.std(values)) or 1.0
        distance += ((values - np.median(values)) / spread) ** 2
    return people.take([int(np.argmin(distance))])


def _facts(patient: Library) -> str:
    row = patient.table.iloc[0]
    sex = "woman" if bool(row.get("female", False)) else "man"
    return (
        f"person {int(row['person'])} of the library, {sex}, {row['age']:.0f} years, eGFR {row['true_egfr']:.0f} mL/min/1.73 m2, "
        f"UACR {row['true_uacr']:.0f} mg/g, HbA1c {row['true_hba1c']:.1f} %"
    )


def _readme(protocol: Protocol, scenario: str, facts: str, courses: Sequence[ArmCourse]) -> str:
    from ... import __version__

    lines = [
        f"{protocol.title}",
        "",
        f"What one person goes through in every arm of the protocol {protocol.name}, written by betapod {__version__}: {facts}.",
        f"Cells do what the scenario {scenario} says. Time 0 is {protocol.lead:g} days before enrolment; days of cells are counted from enrolment, all others",
        "from time 0.",
        "Not part of it: error of measurement, chance events, rescue, co-medication that only some begin.",
        "",
        *(f"{course.arm}: {'; '.join(course.words)}" for course in courses),
        "",
        "The SBML of an arm holds the model with doses and changes of inputs as events; simulation.sedml runs all arms, results_ARM.csv is what betapod",
        f"computes from the SBML at a relative tolerance of {RTOL:g}. A row at the time of a change shows the value before it.",
        "No medical device; a simulation is no evidence of efficacy.",
    ]
    return "\n".join(lines) + "\n"

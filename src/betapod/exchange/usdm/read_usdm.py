"""A study definition of USDM 4 as a protocol to edit: visits with days and windows, what is measured, arms."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...base.errors import ConfigError, Location, Problem
from ...observables.quantities import code_of, visit_observables
from ...therapies.standard_care import therapy
from .usdm_terms import TERMS, duration_days


@dataclass(frozen=True)
class UsdmSchedule:
    """What a protocol takes from a study definition.

    Attributes
    ----------
    title
        Of the study.
    visits
        Name, day from the anchor of the timeline, and window in days, in the order of days.
    measurements
        Quantities that betapod measures.
    not_measured
        Activities that it does not have.
    arms
        Name -> therapies; None for a placebo.
    patients
        That are to be enrolled; None where that is not said.
    """

    title: str
    visits: tuple[tuple[str, float, float], ...]
    measurements: tuple[str, ...]
    not_measured: tuple[str, ...]
    arms: Mapping[str, tuple[str, ...] | None]
    patients: int | None

    def protocol_text(self, name: str) -> str:
        """Return a protocol in YAML; what no schedule says (criteria, endpoints, conduct) is that of a usual trial, and to be edited."""
        quoted = json.dumps
        lines = [
            "# Visits, measurements and arms from a study definition of USDM 4; eligibility, endpoints and conduct are usual ones: edit them.",
            *(f"# Not measured by betapod: {activity}" for activity in self.not_measured),
            "schema_version: 1",
            f"name: {name}",
            f"title: {quoted(self.title)}",
            "population: {diabetes: type 2, size: 400}",
            "eligibility:",
            "  eGFR: {min: 30 mL/min/1.73m2, max: 90 mL/min/1.73m2}",
            f"patients: {self.patients or 100}",
            "arms:",
            *(f"  {quoted(arm)}: {self._given(therapies)}" for arm, therapies in self.arms.items()),
            "designs:",
            f"  as scheduled: {{arms: {{{', '.join(f'{quoted(arm)}: 1' for arm in self.arms)}}}}}",
            "visits:",
            *(f"  - {{name: {quoted(visit)}, day: {day:g} day{f', window: {window:g} day' if window else ''}}}" for visit, day, window in self.visits),
            f"measurements: {{{', '.join(f'{quantity}: {{}}' for quantity in self.measurements)}}}",
            "conduct: {drop_out: 10 %/year, missed_visits: 3 %}",
            "endpoints:",
            f"  primary: {{quantity: {self.measurements[0]}, summary: {'ratio' if visit_observables()[code_of(self.measurements[0])].link == 'log' else 'change'}}}",
            "scenarios: [none]",
            "replicates: 200",
        ]  # fmt: skip
        return "\n".join(lines) + "\n"

    @staticmethod
    def _given(therapies: Sequence[str] | None) -> str:
        if therapies is None:
            return "{placebo: true}"
        return f"{{therapies: [{', '.join(therapies)}]}}" if therapies else "{}  # what it is given is not in the file"


def read_usdm(path: str | Path) -> UsdmSchedule:
    """Return the schedule of activities of the first design of a study definition.

    Parameters
    ----------
    path
        JSON file of USDM 4 (or 3, whose schedule is alike).

    Raises
    ------
    ConfigError
        No such file, no JSON, no study with a main timeline, visits without a day, nothing that betapod measures.
    """
    target = Path(path)
    location = Location(str(target))
    try:
        document = json.loads(target.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(Problem("no-file", "there is no such file", location)) from None
    except (OSError, ValueError) as error:
        raise ConfigError(Problem("bad-json", f"this is no JSON: {error}", location)) from None
    version = _first(_first(document, "study"), "versions")
    design = _first(version, "studyDesigns")
    timelines = [item for item in _listed(design, "scheduleTimelines") if isinstance(item, dict)]
    timeline = next((item for item in timelines if item.get("mainTimeline") is True), None)
    if timeline is None:
        expected = "study.versions[0].studyDesigns[0].scheduleTimelines with mainTimeline true"
        raise ConfigError(Problem("no-schedule", "there is no schedule of activities", location, expected=expected))
    visits, dated_ids, problems = _visits(design, timeline, location)
    measured, left = _activities(design, timeline, dated_ids)
    if not measured:
        message = "none of the activities is something that betapod measures"
        problems.append(Problem("nothing-measured", message, location, found=", ".join(left) or "no activities", expected=", ".join(visit_observables())))  # fmt: skip
    if problems:
        raise ConfigError(problems)
    titles = [item.get("text") for item in _listed(version, "titles") if isinstance(item, dict)]
    name = _first(document, "study").get("name")
    return UsdmSchedule(str(next(filter(None, titles), name or "a study")), tuple(visits), tuple(measured), tuple(left), _arms(version, design), _patients(design))  # fmt: skip


def _first(parent: Any, key: str) -> dict[str, Any]:
    """Return a mapping of a mapping, the first where there is a list; empty where there is none."""
    value = parent.get(key) if isinstance(parent, dict) else None
    value = value[0] if isinstance(value, list) and value else value
    return value if isinstance(value, dict) else {}


def _listed(parent: Mapping[str, Any], key: str) -> list[Any]:
    value = parent.get(key)
    return value if isinstance(value, list) else []


def _by_id(items: Sequence[Any]) -> dict[str, dict[str, Any]]:
    return {str(item.get("id")): item for item in items if isinstance(item, dict)}


def _visits(
    design: Mapping[str, Any], timeline: Mapping[str, Any], location: Location
) -> tuple[list[tuple[str, float, float]], list[str], list[Problem]]:
    """Return visits in the order of days, the instances that they are, and what is wrong."""
    instances, encounters = _by_id(_listed(timeline, "instances")), _by_id(_listed(design, "encounters"))
    timings = {str(item.get("relativeFromScheduledInstanceId")): item for item in _listed(timeline, "timings") if isinstance(item, dict)}  # fmt: skip
    days: dict[str, float] = {}
    for key in instances:
        day = _day_of(key, timings, ())
        if day is not None:
            days[key] = day
    with_visit = [key for key, item in instances.items() if str(item.get("encounterId")) in encounters]
    problems = [
        Problem("no-day", f"visit {encounters[str(instances[key]['encounterId'])].get('name')!r} has no timing that leads to the anchor", location, expected="a timing with a duration of ISO 8601")
        for key in with_visit
        if key not in days
    ]  # fmt: skip
    if not with_visit:
        problems.append(Problem("no-visits", "no scheduled activity belongs to an encounter", location))
    by_encounter: dict[str, tuple[str, float, float]] = {}
    for key in sorted((key for key in with_visit if key in days), key=days.__getitem__):
        encounter, timing = str(instances[key]["encounterId"]), timings.get(key, {})
        window = max((duration_days(timing.get(end)) or 0.0 for end in ("windowLower", "windowUpper")), default=0.0)
        words = str(encounters[encounter].get("label") or encounters[encounter].get("name"))
        by_encounter.setdefault(encounter, (words, days[key], window))
    return _told_apart(list(by_encounter.values())), with_visit, problems


def _told_apart(visits: list[tuple[str, float, float]]) -> list[tuple[str, float, float]]:
    """Return visits whose names differ: those of one name get their day."""
    names = [name for name, _, _ in visits]
    return [(name if names.count(name) == 1 else f"{name}, day {day:g}", day, window) for name, day, window in visits]


def _day_of(key: str, timings: Mapping[str, Mapping[str, Any]], before: tuple[str, ...]) -> float | None:
    """Return the day of an instance from the anchor: by its timing, and that of the instance that it is relative to."""
    timing = timings.get(key)
    if timing is None or key in before:
        return None
    code = str((timing.get("type") or {}).get("code"))
    if code == TERMS["anchor"][0]:
        return 0.0
    apart = duration_days(timing.get("value"))
    origin = _day_of(str(timing.get("relativeToScheduledInstanceId")), timings, (*before, key))
    if apart is None or origin is None:
        return None
    return origin + (-apart if code == TERMS["before"][0] else apart)


def _activities(
    design: Mapping[str, Any], timeline: Mapping[str, Any], visits: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Return the quantities that are measured at visits, and the activities that are none."""
    instances, activities = _by_id(_listed(timeline, "instances")), _by_id(_listed(design, "activities"))
    planned = dict.fromkeys(str(activity) for key in visits for activity in _listed(instances[key], "activityIds"))
    measured: dict[str, str] = {}
    left: dict[str, None] = {}
    for key in planned:
        item = activities.get(key, {})
        texts = [str(item[name]) for name in ("name", "label") if item.get(name)]
        code = next((code_of(text) for text in texts if code_of(text) in visit_observables()), None)
        if code is None:
            left[texts[0] if texts else key] = None
        else:
            measured.setdefault(code, next(text for text in texts if code_of(text) == code))
    return [name if name.isidentifier() else code for code, name in measured.items()], list(left)


def _arms(version: Mapping[str, Any], design: Mapping[str, Any]) -> dict[str, tuple[str, ...] | None]:
    """Return arms with the therapies that their names or descriptions say; None for a placebo."""
    arms: dict[str, tuple[str, ...] | None] = {}
    for item in _listed(design, "arms"):
        if not isinstance(item, dict):
            continue
        words = [part for key in ("name", "label", "description") for part in str(item.get(key) or "").split(", ")]
        therapies = tuple(dict.fromkeys(part for part in words if _is_therapy(part)))
        placebo = str((item.get("type") or {}).get("code")) == TERMS["placebo"][0]
        arms[str(item.get("name"))] = None if placebo and not therapies else therapies
    return arms or {"treatment": ()}


def _is_therapy(text: str) -> bool:
    """Whether a text is a therapy that can be given, with its dose where it needs one."""
    try:
        therapy(text)
    except ConfigError:
        return False
    return True


def _patients(design: Mapping[str, Any]) -> int | None:
    planned = _first(_first(design, "population"), "plannedEnrollmentNumber")
    value = planned.get("value", _first(planned, "maxValue").get("value"))
    return int(value) if isinstance(value, (int, float)) and value >= 1 else None

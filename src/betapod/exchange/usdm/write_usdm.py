"""A protocol as a study definition of USDM 4: arms, schedule of activities with timings, objectives."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from ...base.errors import ConfigError, not_among
from ...observables.quantities import code_of, visit_observables
from ...trials.operating.sizing import title
from .usdm_terms import TERMINOLOGY, TERMS, USDM_VERSION, duration_text

if TYPE_CHECKING:
    from ...trials.protocol.protocol import Protocol, Visit


def usdm_document(protocol: Protocol, design: str | None = None) -> dict[str, Any]:
    """Return one design of a protocol as a study definition of USDM 4, ready for JSON.

    Every measurement of the protocol is an activity, and takes place at every visit. Visits are timed from enrolment, with their windows. The study is a simulated
    one, and says so; no registry number is invented.

    Parameters
    ----------
    design
        The first by default.

    Raises
    ------
    ConfigError
        There is no such design.

    Examples
    --------
    >>> import betapod
    >>> from betapod.exchange.usdm.write_usdm import usdm_document
    >>> document = usdm_document(betapod.load_protocol("dn61"))
    >>> document["usdmVersion"], len(document["study"]["versions"][0]["studyDesigns"][0]["encounters"])
    ('4.0.0', 6)
    """
    name = next(iter(protocol.designs)) if design is None else design
    if name not in protocol.designs:
        raise ConfigError(
            not_among(protocol.designs, "unknown-design", f"{protocol.name} has no design {name!r}", name)
        )
    return _Definition(protocol, name).document()


class _Definition:
    """Elements with identifiers of their own."""

    def __init__(self, protocol: Protocol, design: str) -> None:
        self.protocol, self.design = protocol, design
        self._numbers: dict[str, count[int]] = {}

    def element(self, kind: str, **keys: Any) -> dict[str, Any]:
        number = next(self._numbers.setdefault(kind, count(1)))
        return {"id": f"{kind}_{number}", **keys, "instanceType": kind}

    def term(self, name: str) -> dict[str, Any]:
        code, words = TERMS[name]
        return self.element("Code", code=code, codeSystem="http://www.cdisc.org", codeSystemVersion=TERMINOLOGY, decode=words)  # fmt: skip

    def document(self) -> dict[str, Any]:
        protocol = self.protocol
        from ... import __version__

        sponsor = self.element(
            "Organization", name="Nobody: a simulated study", type=self.term("sponsor"), identifierScheme="none", identifier="SIMULATED"
        )  # fmt: skip
        version = self.element(
            "StudyVersion",
            versionIdentifier="1",
            rationale="Simulated by betapod; nobody was treated.",
            studyIdentifiers=[
                self.element("StudyIdentifier", text=f"SIM-{protocol.name.upper()}", scopeId=sponsor["id"])
            ],
            titles=[self.element("StudyTitle", text=protocol.title, type=self.term("title"))],
            organizations=[sponsor],
            studyDesigns=[self.study_design()],
        )
        study = {"id": None, "name": protocol.name, "label": protocol.title, "versions": [version], "instanceType": "Study"}  # fmt: skip
        return {"study": study, "usdmVersion": USDM_VERSION, "systemName": "betapod", "systemVersion": __version__}

    def study_design(self) -> dict[str, Any]:
        protocol, design = self.protocol, self.protocol.designs[self.design]
        epochs = self._chained(
            [self.element("StudyEpoch", name=words, type=self.term(name)) for words, name in (("Screening", "screening"), ("Treatment", "treatment"))]
        )  # fmt: skip
        arms = [self._arm(name) for name in design.arms]
        elements = [self.element("StudyElement", name=name, description=self._given(name)) for name in design.arms]
        waiting = self.element("StudyElement", name="screening")
        cells = [
            self.element("StudyCell", armId=arm["id"], epochId=epoch["id"], elementIds=[(waiting if k == 0 else element)["id"]])
            for arm, element in zip(arms, elements, strict=True)
            for k, epoch in enumerate(epochs)
        ]  # fmt: skip
        model = "single group" if len(arms) == 1 else "crossover" if protocol.endpoints.primary.summary == "crossover" else "parallel"  # fmt: skip
        activities = self._chained([self._activity(quantity) for quantity in protocol.measurements])
        encounters, timeline = self._schedule(activities, epochs)
        enrolled = self.element("Quantity", value=float(protocol.size(self.design)))
        return self.element(
            "InterventionalStudyDesign",
            name=self.design,
            label=design.label or self.design,
            studyType=self.term("interventional"),
            model=self.term(model),
            rationale="As the protocol has it.",
            arms=arms,
            epochs=epochs,
            elements=[waiting, *elements],
            studyCells=cells,
            encounters=encounters,
            activities=activities,
            scheduleTimelines=[timeline],
            population=self.element(
                "StudyDesignPopulation", name="enrolled", description=self._criteria(), includesHealthySubjects=False, plannedEnrollmentNumber=enrolled
            ),
            objectives=self._objectives(),
        )  # fmt: skip

    @staticmethod
    def _chained(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return items that know those before and after them."""
        for k, item in enumerate(items):
            item["previousId"] = items[k - 1]["id"] if k else None
            item["nextId"] = items[k + 1]["id"] if k + 1 < len(items) else None
        return items

    def _arm(self, name: str) -> dict[str, Any]:
        kind = "placebo" if self.protocol.arms[name].placebo else "treated"
        return self.element(
            "StudyArm", name=name, description=self._given(name), type=self.term(kind), dataOriginDescription="simulated by betapod", dataOriginType=self.term("synthetic")
        )  # fmt: skip

    def _given(self, name: str) -> str:
        """Return what an arm gives, in words."""
        arm = self.protocol.arms[name]
        parts = [str(item) if isinstance(item, str) else str(getattr(item, "therapy", item)) for item in arm.therapies]
        parts += [str(arm.cells)] if arm.cells is not None else []
        parts += ["placebo"] if arm.placebo else []
        return ", ".join(parts) or "what the protocol gives in every arm"

    def _criteria(self) -> str:
        """Return the criteria of eligibility in words."""
        texts = []
        for quantity, criterion in self.protocol.eligibility.items():
            ends = [f"{words} {getattr(criterion, end)}" for words, end in (("from", "min"), ("up to", "max")) if getattr(criterion, end) is not None]  # fmt: skip
            texts.append(f"{quantity} {' '.join(ends)}")
        return "; ".join(texts) or "all"

    def _activity(self, quantity: str) -> dict[str, Any]:
        observable = visit_observables()[code_of(quantity)]
        return self.element("Activity", name=str(quantity), label=observable.label, description=f"{observable.label} ({observable.unit})")  # fmt: skip

    def _schedule(
        self, activities: list[dict[str, Any]], epochs: list[dict[str, Any]]
    ) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        visits = sorted(self.protocol.visits, key=lambda visit: visit.day)
        encounters = self._chained([self.element("Encounter", name=visit.name, type=self.term("visit")) for visit in visits])  # fmt: skip
        every = [activity["id"] for activity in activities]
        instances = [
            self.element(
                "ScheduledActivityInstance", name=visit.name, activityIds=every, encounterId=encounter["id"], epochId=epochs[int(visit.day >= 0)]["id"]
            )
            for visit, encounter in zip(visits, encounters, strict=True)
        ]  # fmt: skip
        leaving = self.element("ScheduleTimelineExit")
        for k, instance in enumerate(instances):
            instance["defaultConditionId"] = instances[k + 1]["id"] if k + 1 < len(instances) else None
            instance["timelineExitId"] = None if k + 1 < len(instances) else leaving["id"]
        anchor = min(range(len(visits)), key=lambda k: abs(visits[k].day))
        timings = [self._timing(visit, visits[anchor], instance, instances[anchor]) for visit, instance in zip(visits, instances, strict=True)]  # fmt: skip
        for encounter, timing in zip(encounters, timings, strict=True):
            encounter["scheduledAtId"] = timing["id"]
        timeline = self.element(
            "ScheduleTimeline", name="main", mainTimeline=True, entryCondition="a candidate comes to screening", entryId=instances[0]["id"],
            instances=instances, timings=timings, exits=[leaving],
        )  # fmt: skip
        return encounters, timeline

    def _timing(self, visit: Visit, origin: Visit, instance: dict[str, Any], anchor: dict[str, Any]) -> dict[str, Any]:
        apart = visit.day - origin.day
        kind = "anchor" if instance is anchor else "after" if apart > 0 else "before"
        window = (
            {"windowLower": duration_text(visit.window), "windowUpper": duration_text(visit.window), "windowLabel": f"\u00b1 {visit.window:g} days"}
            if visit.window
            else {}
        )  # fmt: skip
        return self.element(
            "Timing", name=visit.name, type=self.term(kind), value=duration_text(apart), valueLabel=f"day {visit.day:g}",
            relativeToFrom=self.term("start to start"), relativeFromScheduledInstanceId=instance["id"], relativeToScheduledInstanceId=anchor["id"], **window,
        )  # fmt: skip

    def _objectives(self) -> list[dict[str, Any]]:
        asked = self.protocol.endpoints
        objectives = []
        for level, items in (("primary", [asked.primary]), ("secondary", asked.secondary)):
            for item in items:
                words = title(item, self.protocol)
                endpoint = self.element("Endpoint", name=words, text=words, purpose="efficacy", level=self.term(f"{level} endpoint"))  # fmt: skip
                objectives.append(self.element("Objective", name=words, text=f"To compare {words}", level=self.term(level), endpoints=[endpoint]))  # fmt: skip
        return objectives

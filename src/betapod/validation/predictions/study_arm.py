"""What one group of a study gets, and how a row of a table says it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

#: Inputs and therapies with which a study decides on glucose.
_SETS_GLUCOSE, _TITRATED = ("hold_glucose", "insulin_titration"), "titrated insulin"


@dataclass(frozen=True)
class StudyArm:
    """What one group of a study gets.

    Attributes
    ----------
    cohort
        Name of the people, see `baseline_cohorts`; empty where the arm cannot be mapped, `note` says why.
    cells
        Order for cells, empty for none.
    care
        Therapies added to what a person takes already.
    inputs
        Inputs of the model held from day 0.
    control
        Cohort, therapies and inputs of the group that a contrast compares with.
    n
        People in the arm where the row does not say and another row of the same patients does.
    imposes
        Endpoints that the mapping itself sets: no prediction of them.
    care_rule
        Whether care goes on besides: ``frozen`` (a placebo-controlled trial), ``usual`` or ``clinic``, see `patients.follow_up`.
    year
        Calendar year in which follow-up begins, where care goes on.
    note
        What was assumed.
    """

    study: str
    arm: str
    cohort: str
    cells: str = ""
    care: tuple[str, ...] = ()
    inputs: tuple[tuple[str, float], ...] = ()
    control: tuple[str, tuple[str, ...], tuple[tuple[str, float], ...]] = ("", (), ())
    n: int | None = None
    imposes: tuple[str, ...] = ()
    care_rule: str = "frozen"
    year: float = math.nan
    note: str = ""

    @property
    def other(self) -> StudyArm:
        """The group that a contrast compares with."""
        cohort, care, inputs = self.control
        return StudyArm(
            self.study,
            "control",
            cohort or self.cohort,
            care=care,
            inputs=inputs,
            care_rule=self.care_rule,
            year=self.year,
        )

    @property
    def key(self) -> tuple[object, ...]:
        """What makes two arms the same: who they are, and what they get."""
        going = () if self.care_rule == "frozen" else (self.care_rule, self.year)
        return (self.cohort, self.cells, self.care, self.inputs, *going)

    @property
    def sets_glucose(self) -> bool:
        """Whether the study itself decides on glucose, so that doctors do not."""
        held = any(name in _SETS_GLUCOSE for name, _ in self.inputs)
        return held or any(text.startswith(_TITRATED) for text in self.care)


def parts_of(text: str) -> tuple[str, ...]:
    """Return what stands between semicolons."""
    return tuple(part.strip() for part in text.split(";") if part.strip())


def inputs_of(text: str) -> tuple[tuple[str, float], ...]:
    """Return inputs with their values, of ``name=value`` between semicolons."""
    pairs = (part.partition("=") for part in parts_of(text))
    return tuple((name.strip(), float(value)) for name, _, value in pairs)


def arm_of_row(row: Mapping[str, str]) -> StudyArm:
    """Return the arm of a row of a table, in which every column stands; cells may be empty."""
    control = row["control_cohort"], parts_of(row["control_care"]), inputs_of(row["control_inputs"])
    return StudyArm(
        row["study"],
        row["arm"],
        row["cohort"],
        row["cells"],
        parts_of(row["care"]),
        inputs_of(row["inputs"]),
        control,
        int(row["n"]) if row["n"] else None,
        parts_of(row["imposes"]),
        row["care_rule"] or "frozen",
        float(row["year"] or "nan"),
        row["note"],
    )


def wrong_care(row: Mapping[str, str]) -> str:
    """Say what is wrong with how the care of an arm goes on; nothing where it is right."""
    from ...patients.follow_up import RULES

    rule, year = row["care_rule"], row["year"]
    if row["cohort"] and rule not in RULES:
        return f"care_rule is one of {', '.join(RULES)}"
    if (rule in ("", "frozen")) != (year == ""):
        return "a year, and only with care that goes on"
    return "care goes on without cells only" if row["cells"] and year else ""

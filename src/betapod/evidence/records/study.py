"""One published number with everything that is needed to judge it: study, people, treatment, statistic, source, trust."""

from __future__ import annotations

from dataclasses import dataclass

from ...base.errors import NOWHERE, Location

#: Kinds of statistic, and whether they are compared as logarithms.
KINDS: dict[str, bool] = {
    "mean": False,
    "median": False,
    "geometric_mean": True,
    "value": False,
    "difference": False,
    "percent": False,
    "geometric_ratio": True,
    "slope": False,
    "proportion": False,
    "count": False,
    "rate": False,
    "time": False,
    "hazard_ratio": True,
    "risk_ratio": True,
    "odds_ratio": True,
    "smd": False,
    "correlation": False,
    "variance_explained": False,
    "coefficient": False,
    "qualitative": False,
    "eligibility": False,
    "range": False,
}

#: level: one group at one time; change: a group against its own start; between: treated against control (allocated or matched);
#: association: by an exposure nobody allocated; unclear: the source mixes or does not say.
CONTRASTS = ("level", "change", "between", "association", "unclear")

DESIGNS = (
    "RCT",
    "controlled-trial",
    "nonrandomised-controlled",
    "randomised-no-untreated-control",
    "single-arm",
    "cohort",
    "case-control",
    "cross-sectional",
    "case-report",
    "pooled-IPD",
    "meta-analysis",
    "review",
    "equation",
    "opinion",
)

POPULATIONS = ("DKD", "CKD", "T1D", "T2D", "T1D+T2D", "mixed", "general")

SOURCE_LEVELS = (
    "primary_table",
    "primary_abstract",
    "trial_registry",
    "meta_analysis",
    "congress_abstract",
    "press_release",
    "secondary_table",
    "secondary_summary",
    "secondary_review",
    "secondary_web_calculator",
    "package_source_code",
    "equation_source",
    "author_manuscript_discrepant",
    "memory_unconfirmed",
)

#: Rank of a source when several report the same patients: the lowest is taken.
SOURCE_RANK = {level: number for number, level in enumerate(SOURCE_LEVELS)}


@dataclass(frozen=True)
class Dispersion:
    """How a value scatters or how well it is known, in the record's unit.

    Attributes
    ----------
    type
        SD, SE, CI95, IQR, range, tolerance_factor or unclear.
    low, high
        Bounds of an interval; both the same number for SD, SE and unclear.
    text
        The type as printed, where it says more.
    """

    type: str
    low: float
    high: float
    text: str = ""

    @property
    def width(self) -> float:
        """The number of an SD or SE, or the length of an interval."""
        return self.low if self.type in ("SD", "SE", "unclear", "tolerance_factor") else self.high - self.low


@dataclass(frozen=True)
class Record:
    """One published number.

    Attributes
    ----------
    id
        ``STUDY#number``: the row within its study, counted in the order of the table.
    family
        Reports of the same or overlapping patients share it: never pooled together, never split between fitting and testing.
    population, design, product, endpoint
        Classes for grouping; the text of the source stands in the field of the same name with ``_text``.
    arm
        The group, or ``A vs B``.
    dose, dose_unit
        Cells of one administration as printed; None where not read.
    n
        People in the arm or the comparison.
    weeks
        Follow-up, week; None where not read, 0 at baseline.
    kind, contrast
        What the number is (:data:`KINDS`) and what it compares (:data:`CONTRASTS`).
    value
        In `unit`; ratios as ratios, proportions 0 to 1, risk reductions turned into risk ratios; None for a direction only.
    direction
        What a qualitative row says.
    better
        +1 if more is better, -1 if less is, 0 if that depends.
    printed_value, printed_dispersion, printed_unit
        As in the source.
    tag
        ``seen``: read in the source. ``memory``: recalled; shown, never used.
    grade
        Reliability of the study from A (adequately powered confirmatory trial) to D; empty where none was given.
    remarks
        What limits the use of this number.
    location
        File and line of the row.
    replaces
        Id of the record that a row of the user's own takes the place of; without it that of the same `key`.
    """

    id: str
    study: str
    family: str
    citation: str
    doi: str
    locator: str
    year: int | None
    population: str
    population_text: str
    design: str
    design_text: str
    arm: str
    product: str
    product_text: str
    route: str
    dose: float | None
    dose_unit: str
    n: int | None
    endpoint: str
    endpoint_text: str
    weeks: float | None
    kind: str
    contrast: str
    statistic_text: str
    value: float | None
    direction: str
    dispersion: Dispersion | None
    unit: str
    better: int
    p_value: str
    quote: str
    tag: str
    source_level: str
    grade: str
    bias: str
    printed_value: str
    printed_dispersion: str
    printed_unit: str
    remarks: tuple[str, ...] = ()
    location: Location = NOWHERE
    table: str = ""
    species: str = "human"
    replaces: str = ""

    @property
    def summarises(self) -> bool:
        """Whether it summarises studies of others: a meta-analysis, or a review that does not retell one known trial."""
        return self.design == "meta-analysis" or (self.design == "review" and self.family == self.study)

    @property
    def log(self) -> bool:
        """Whether the number is compared as a logarithm."""
        return KINDS[self.kind]

    @property
    def usable(self) -> bool:
        """Whether the number may enter a calculation at all."""
        return self.tag == "seen" and self.value is not None

    @property
    def key(self) -> tuple[object, ...]:
        """What makes two rows the same statement; an overlay replaces the row of the same key."""
        return (self.study, self.arm, self.endpoint_text, self.weeks, self.statistic_text, self.tag)

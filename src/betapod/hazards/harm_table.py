"""What a course of cells may do to somebody: chances per event and per course, against as many placebo infusions, with intervals.

Intervals are those of the parameters: rows with a distribution are drawn from it; a row with nothing but a range is spread evenly over
either half of it. Rates of people like these without cells (infection, thromboembolism, cancer) are held, so that the interval of what cells
add to them is that of the published ratio.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ..base.randomness import Stream
from ..engine.draw import draw_parameters
from ..model import Model, ParameterTable
from ..model.parameters.parameter import Parameter
from ..physiology import whole_body
from ..therapies import cell_parameters
from ..therapies.cell_dosing import Regimen, regimen
from ..therapies.cell_risks import CONTROL, EVENTS, RATIOS, evaluate_risks, wanted_risks
from .outcome_rates import CAUSES, OUTCOME_LABELS
from .risk import Numbers, RiskProfile, hazard_parameters

#: Harm -> the rows that decide on it, of the cells and of `risk.hazard_parameters`.
_ROWS: Mapping[str, tuple[str, ...]] = {
    "p_fever": ("p_fever_active", "RR_fever"),
    "p_reaction": ("p_reaction_control", "RR_reaction"),
    "p_thrombosis": ("p_thrombosis_base", "RR_thrombosis", "RR_CKD"),
    "p_antibody": ("p_DSA",),
    "p_kidney_loss": ("p_kidney_loss_base",),
    "p_artery": ("p_arterial_procedure",),
    "p_lesion": ("p_intrarenal_lesion",),
    "p_bleeding": ("p_portal_bleeding",),
    "p_portal_clot": ("p_portal_thrombosis",),
    "p_growth": ("p_offtarget",),
    "SAE": ("SAE_alone",),
    "serious_infection": ("infection_rate_65", "RR_infection"),
    "thromboembolism": ("vte_rate_65", "RR_thrombosis"),
    "cancer": ("cancer_rate_65", "RR_malignancy"),
}
#: Draws for an interval, and their seed.
_DRAWS, _SEED = 2000, 1
#: Weight (kg) for which an order is read, and the person whose rates are meant: age (years), eGFR and UACR without and with kidney disease.
_WEIGHT, AGE = 80.0, 60.0
KIDNEYS = ((75.0, 15.0), (45.0, 300.0))
#: Participants of 55 randomised trials of stromal cells (thompson2020); about half of them were given cells.
_IN_TRIALS = 2696
#: Years that can be counted at most.
MOST_YEARS = 50.0


@dataclass(frozen=True)
class HarmLine:
    """One harm of a course.

    Attributes
    ----------
    harm, label
        Name in the model or among outcomes, and in words.
    per, events
        What an event is (infusion, course, procedure, year), and how many there are.
    chance, chance_placebo
        Of one event; of a placebo infusion of the same kind, or of people like these without cells.
    people, low, high
        Of 1000 people with the course how many have it at least once, with the 95 % interval.
    people_placebo
        Of 1000 with as many placebo infusions, and without a procedure where the course needs one.
    excess, excess_low, excess_high
        Difference of the two.
    grade, source
        Worst grade of the rows behind it, and their sources.
    """

    harm: str
    label: str
    per: str
    events: float
    chance: float
    chance_placebo: float
    people: float
    low: float
    high: float
    people_placebo: float
    excess: float
    excess_low: float
    excess_high: float
    grade: str
    source: str


@dataclass(frozen=True)
class HarmTable:
    """The harms of a course.

    Attributes
    ----------
    words
        How the order was understood.
    lines
        One per harm.
    notes
        What is not known, and what the numbers do not hold.
    """

    words: str
    lines: tuple[HarmLine, ...]
    notes: tuple[str, ...]


def harm_table(order: str, scenario: str, kidney_disease: bool = False, years: float = 1.0) -> HarmTable:
    """Return the harms of the course that an order describes.

    Parameters
    ----------
    kidney_disease
        Whether the person has kidney disease.
    years
        Over which infection, thromboembolism, cancer and events under immunosuppression are counted.

    Raises
    ------
    ConfigError
        Everything that is wrong with the order, or an unknown scenario.
    """
    model = cell_parameters.parameterise(whole_body.named_model("cells"), scenario)
    course = regimen(order, _WEIGHT, model, scenario)
    counting = _Counting(course, model, float(kidney_disease), years)
    lines = (*counting.of_infusions(), *counting.over_years()) if course.ordered > 0 else ()
    return HarmTable(course.words, tuple(lines), tuple(_notes(course, kidney_disease)))


class _Counting:
    """Values of the table, and after them draws, of everything that one course may do."""

    def __init__(self, course: Regimen, model: Model, kidney_disease: float, years: float) -> None:
        self.course, self.model, self.kidney_disease, self.years = course, model, kidney_disease, years

    def evaluated(self, names: Iterable[str], harms: Iterable[str]) -> dict[str, Numbers]:
        """Return quantities of the model, (draws + 1,) each."""
        values = {"CKD": self.kidney_disease} | _drawn(self.model.parameters, harms)
        risks = evaluate_risks(names, self.course, self.model, values)
        return {name: np.broadcast_to(np.asarray(value, dtype=np.float64), _DRAWS + 1) for name, value in risks.items()}

    def of_infusions(self) -> Iterator[HarmLine]:
        """Yield what infusions and procedures do."""
        order = self.course.order
        wanted = dict(wanted_risks(self.course))
        # Procedures are part of the treatment: nobody would be punctured for less.
        controls = {name: CONTROL[name] for name in wanted if CONTROL.get(name, name) != name}
        chances = self.evaluated([*wanted, *controls.values()], wanted)
        for name, per in wanted.items():
            events = 1 if per == "course" else order.count
            control = chances[controls[name]] if name in controls else np.zeros(_DRAWS + 1)
            yield self.line(name, EVENTS[name], per, events, chances[name], control)

    def over_years(self) -> Iterator[HarmLine]:
        """Yield what comes over time, at rates that cells change, and under immunosuppression."""
        per = "year" if self.years == 1 else f"{self.years:g} years"
        if self.course.order.product.kind == "infused":
            ratios = self.evaluated(RATIOS.values(), RATIOS)
            egfr, uacr = KIDNEYS[int(self.kidney_disease)]
            profile = RiskProfile(AGE, 0.5, egfr, uacr)
            for event, ratio in RATIOS.items():
                hazard = float(CAUSES[event](profile)) * self.years
                without = np.full(_DRAWS + 1, -np.expm1(-hazard))
                yield self.line(event, OUTCOME_LABELS[event], per, 1, -np.expm1(-hazard * ratios[ratio]), without)
        rate = self.evaluated(["SAE_rate"], ["SAE"])["SAE_rate"]
        if rate[0] > 0 and self.course.order.product.kind == "graft":
            yield self.line("SAE", EVENTS["SAE"], per, 1, -np.expm1(-rate * self.years), np.zeros(_DRAWS + 1))

    def line(self, harm: str, label: str, per: str, events: int, cells: Numbers, placebo: Numbers) -> HarmLine:
        """Return one line."""
        people, other = (1000.0 * -np.expm1(events * np.log1p(-chance)) for chance in (cells, placebo))
        excess = people - other
        low, high = np.quantile(people[1:], (0.025, 0.975))
        less, more = np.quantile(excess[1:], (0.025, 0.975))
        rows = [row for row in _rows(self.model.parameters, (harm,)).values() if row.source or row.role == "assumed"]
        sources = dict.fromkeys(key for row in rows for key in row.source.split(";") if key)
        return HarmLine(
            harm, label, per, events, float(cells[0]), float(placebo[0]), float(people[0]), float(low), float(high),
            float(other[0]), float(excess[0]), float(less), float(more), max(row.grade for row in rows), ";".join(sources),
        )  # fmt: skip


def _rows(table: Mapping[str, Parameter], harms: Iterable[str]) -> dict[str, Parameter]:
    """Return the rows that decide on harms."""
    every = {**hazard_parameters(), **table}
    return {name: every[name] for harm in harms for name in _ROWS[harm]}


def _drawn(table: ParameterTable, harms: Iterable[str]) -> dict[str, Numbers]:
    """Return the rows of the cells that decide on harms: (draws + 1,) with the value of the table first."""
    rows = [row for name, row in _rows(table, harms).items() if name in table]
    people, drawn = np.arange(_DRAWS), dict[str, Numbers]()
    for row in rows:
        if row.distribution.startswith("fixed"):
            uniform = Stream(_SEED, f"harms:{row.id}").uniform(people)
            values = np.interp(uniform, (0.0, 0.5, 1.0), (row.low, row.value, row.high))
        else:
            values = draw_parameters(ParameterTable([row]), _SEED, people, row.id)[row.id]
        drawn[row.id] = np.concatenate([[row.value], values])
    return drawn


def _notes(course: Regimen, kidney_disease: bool) -> Iterator[str]:
    """Say what is not known."""
    order = course.order
    if order.product.kind == "infused":
        treated = _IN_TRIALS // 2
        yield (
            f"rare and late harm: of about {treated} people given stromal cells in 55 randomised trials (half of {_IN_TRIALS}; thompson2020) a "
            f"harm that none of them had may still come to 1 in {treated // 3} (rule of three); trials in diabetic kidney disease lasted 60 to "
            "78 weeks"
        )
    else:
        yield "grafts made from stem cells: no unwanted growth in 15 people (shapiro2021) leaves room for 1 in 5 (rule of three)"
    if order.route.name == "ir":
        yield "one report of masses in a kidney after injection of the person's own cells, and of its removal (thirabanjasak2010)"
    if order.donor == "autologous":
        yield (
            "one report of dialysis three months after infusion of the person's own cells into somebody with kidney disease, in a clinic outside "
            f"of trials (kim2017){'' if kidney_disease else '; counted with kidney disease only'}"
        )
    yield "products are those of trials: what a clinic infuses without a trial may differ, and no numbers of its harms are known"

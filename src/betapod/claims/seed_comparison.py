"""The parameters that the claims need, compared with four measured quantities."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..base.interval_parts import IntervalParts
from ..evidence.records.registry import Registry
from ..therapies.scenarios import AS_CLAIMED, CURRENT_EVIDENCE
from . import claim_simulation
from .claim_lives import first_pass_of
from .claim_outcome import Outcome, SimulatedOutcome
from .claim_parameters import ClaimParameters, FitChoice, choose_fit
from .claim_people import ledger_patient
from .claim_uncertainty import effect_interval
from .ledger import evidence_for_claims
from .questions import Question, ask

COURSE = "UC-MSC 1e6/kg iv x3 q28d"
#: What makes or helps beta cells. With insulin resistance gone as well secretion would fall, however many beta cells there are.
_BETA_CELLS = (
    "sw_homing",
    "sw_engraftment",
    "sw_renewal",
    "sw_differentiation",
    "sw_become_beta",
    "sw_become_ins",
    "sw_immune",
    "sw_trophic_P",
    "sw_survival",
    "sw_replication",
    "sw_neogenesis",
    "sw_function",
    "sw_recovery",
    "sw_ectopic",
    "sw_ectopic_repair",
)
#: What is simulated; `claimed` plays no part here.
OUTCOMES = {
    "contest C-peptide": Outcome("C_peptide_fasting", "t2d", 1.0, "difference", 0.1, COURSE, _BETA_CELLS),
    "contest HbA1c": Outcome("HbA1c", "t2d", 1.0, "difference", -1.6, COURSE, ("all",)),
    "contest persistence": Outcome("G_K", "t2d", 1.0, "difference", 1.0, COURSE, ("all",)),
}


@dataclass(frozen=True)
class Contest:
    """One prediction against a measurement.

    Attributes
    ----------
    claimed, allowed
        Under the parameters of the claims and under current evidence.
    claimed_ends, allowed_ends
        Ends of their 95 % intervals, of parameters and of what studies differ by; the number itself twice where nothing was drawn.
    low, high
        What was measured: an interval of confidence, which holds the chance of so many people, or the range of single patients.
    """

    name: str
    unit: str
    claimed: float
    allowed: float
    claimed_ends: tuple[float, float]
    allowed_ends: tuple[float, float]
    low: float
    high: float
    source: str
    note: str = ""

    @property
    def loses(self) -> bool:
        """Whether the whole interval of the claims' prediction lies outside what was measured."""
        return not self._meets(self.claimed_ends)

    @property
    def holds(self) -> bool:
        """Whether the interval of current evidence's prediction meets what was measured."""
        return self._meets(self.allowed_ends)

    def _meets(self, ends: tuple[float, float]) -> bool:
        return ends[0] <= self.high and ends[1] >= self.low


def contests(records: Registry | None = None, fit: FitChoice | None = None, drawing: bool = False) -> list[Contest]:
    """Return the four predictions, simulated, beside the records that answer them.

    Parameters
    ----------
    fit, drawing
        See `claim_simulation.simulate_outcomes`.
    """
    registry = evidence_for_claims() if records is None else records
    fit = choose_fit() if fit is None else fit
    simulated = claim_simulation.simulate_outcomes(OUTCOMES, fit, drawing)
    beta = ask(
        Question("", select={"study": "MA_PLOSONE2021_RCT", "endpoint": "fasting_C_peptide"}, expects="above"), registry
    )
    glucose = ask(Question("", select={"study": "KASHBOUR2025", "endpoint": "HbA1c"}, expects="below"), registry)
    late = ask(Question("", records=("VONBAHR2012#1",), requires=0.8), registry)
    lung = registry["GHOLAMREZANEZHAD2011#1"]
    predictions = []
    for name, key, reply in (
        ("fasting C-peptide against control, 1 year (what new beta cells would secrete)", "contest C-peptide", beta),
        ("HbA1c against control, 1 year", "contest HbA1c", glucose),
    ):
        outcome = simulated[key]
        assert outcome.claimed is not None and reply.ci is not None
        predictions.append(
            Contest(
                name,
                outcome.unit,
                outcome.claimed,
                outcome.allowed,
                _ends_of_effect(key, outcome, "claimed"),
                _ends_of_effect(key, outcome, "allowed"),
                *reply.ci,
                ", ".join(reply.records),
                reply.how,
            )
        )
    persistence = simulated["contest persistence"]
    assert lung.value is not None and late.ci is not None
    sets = (fit.centre, *(fit.sets if persistence.uncertainty is not None else ()))
    in_lung = [[_lung(scenario, parameters) for parameters in sets] for scenario in (AS_CLAIMED, CURRENT_EVIDENCE)]
    predictions.append(
        Contest(
            "lowest share of the dose in the lung at once, intravenous",
            "1",
            in_lung[0][0],
            in_lung[1][0],
            _ends_of_share(in_lung[0]),
            _ends_of_share(in_lung[1]),
            lung.value,
            1.0,
            lung.id,
            "a label finds at least this; what reaches other organs later may have passed the lung",
        )
    )
    living = [_alive(persistence, name) for name in ("claimed", "allowed")]
    predictions.append(
        Contest(
            "share of people with donor cells one year after infusion",
            "1",
            living[0][0],
            living[1][0],
            (min(living[0]), max(living[0])),
            (min(living[1]), max(living[1])),
            0.0,
            late.ci[1],
            ", ".join(late.records),
            "measured later than 50 days; present means more than 1 % of the cells given, settled in the kidneys",
        )
    )
    return predictions


def _ends_of_effect(key: str, simulated: SimulatedOutcome, name: str) -> tuple[float, float]:
    interval = effect_interval(OUTCOMES[key], simulated, name)
    value = float(getattr(simulated, name))
    return (value, value) if interval is None else (interval.low, interval.high)


def _ends_of_share(shares: Sequence[float]) -> tuple[float, float]:
    """Return the interval of the first of shares by the draws behind it, parameters alone: no study of its kind is predicted."""
    share, *drawn = shares
    if not drawn:
        return share, share
    spread = math.sqrt(math.fsum((value - share) ** 2 for value in drawn) / len(drawn))
    low, high = IntervalParts(parameters=spread, sets=len(drawn)).interval(share)
    return max(low, 0.0), min(high, 1.0)


def _lung(scenario: str, parameters: ClaimParameters) -> float:
    return float(first_pass_of("t2d", "UC-MSC 1e6/kg iv", scenario, parameters)["L"])


def _alive(persistence: SimulatedOutcome, name: str) -> list[float]:
    """Return 1 if more than 1 % of the cells given are settled in the kidneys after a year, else 0, and the same under each draw.

    Equal people are alike.
    """
    dose = 3.0 * ledger_patient("t2d").state["BW"]
    drawn = persistence.uncertainty.effects[name] if persistence.uncertainty is not None else ()
    return [float(living > 0.01 * dose) for living in (getattr(persistence, name), *drawn)]

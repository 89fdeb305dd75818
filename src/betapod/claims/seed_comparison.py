"""The parameters that the claims need, compared with four measured quantities."""

from __future__ import annotations

from dataclasses import dataclass

from ..evidence.records.registry import Registry
from ..therapies.scenarios import AS_CLAIMED, CURRENT_EVIDENCE
from . import claim_simulation
from .claim_outcome import Outcome
from .claim_people import ledger_patient
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
    low, high
        What was measured: an interval of confidence, or the range of single patients.
    loses
        Whether the prediction of the claims lies outside.
    """

    name: str
    unit: str
    claimed: float
    allowed: float
    low: float
    high: float
    source: str
    note: str = ""

    @property
    def loses(self) -> bool:
        """Whether the claims' prediction lies outside what was measured."""
        return not self.low <= self.claimed <= self.high

    @property
    def holds(self) -> bool:
        """Whether current evidence's prediction lies inside."""
        return self.low <= self.allowed <= self.high


def contests(records: Registry | None = None) -> list[Contest]:
    """Return the four predictions, simulated, beside the records that answer them."""
    registry = evidence_for_claims() if records is None else records
    simulated = claim_simulation.simulate_outcomes(OUTCOMES)
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
                name, outcome.unit, outcome.claimed, outcome.allowed, *reply.ci, ", ".join(reply.records), reply.how
            )
        )
    shares = {name: _lung(name) for name in (AS_CLAIMED, CURRENT_EVIDENCE)}
    assert lung.value is not None and late.ci is not None
    predictions.append(
        Contest(
            "lowest share of the dose in the lung at once, intravenous",
            "1",
            shares[AS_CLAIMED],
            shares[CURRENT_EVIDENCE],
            lung.value,
            1.0,
            lung.id,
            "a label finds at least this; what reaches other organs later may have passed the lung",
        )
    )
    predictions.append(
        Contest(
            "share of people with donor cells one year after infusion",
            "1",
            _alive(AS_CLAIMED),
            _alive(CURRENT_EVIDENCE),
            0.0,
            late.ci[1],
            ", ".join(late.records),
            "measured later than 50 days; present means more than 1 % of the cells given, settled in the kidneys",
        )
    )
    return predictions


def _lung(scenario: str) -> float:
    from ..therapies import cell_parameters
    from ..therapies.cell_dosing import regimen

    who = ledger_patient("t2d")
    model = cell_parameters.parameterise(who.model, scenario)
    course = regimen("UC-MSC 1e6/kg iv", who.state["BW"], model, scenario, who.state)
    return float(course.fractions["L"])


def _alive(scenario: str) -> float:
    """Return 1 if more than 1 % of the cells given are settled in the kidneys after a year, else 0: equal people are alike."""
    persistence = claim_simulation.simulate_outcomes(OUTCOMES)["contest persistence"]
    dose = 3.0 * ledger_patient("t2d").state["BW"]
    living = persistence.claimed if scenario == AS_CLAIMED else persistence.allowed
    assert living is not None
    return float(living > 0.01 * dose)

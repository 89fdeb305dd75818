"""Mechanism switches in the whole person, where everything is claimed: each changes what its mechanism says and nothing before it.

One table, one ensemble run. A row names what must move when the switch is turned off, and what comes before the mechanism and must
stay. Add a row for a new switch; what is not in `ROWS` has to stand in `ELSEWHERE`, with where it is tested.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from betapod.engine.ensemble import Ensemble
from betapod.engine.schedule import Dose, Schedule
from betapod.patients.library import Library, default
from betapod.patients.life_course import life_course_ensemble
from betapod.physiology import whole_body
from betapod.therapies import cell_parameters

YEAR = 365.25
#: A course of cells that reach both organs, and a year of it.
COURSE = Schedule([Dose("N_K", 30.0, 0.0), Dose("N_P", 5.0, 0.0), Dose("N_L", 5.0, 0.0)])
#: Relative change that counts as a move, and the one that counts as none: feedback of a kidney that is better on what comes before.
MOVED, STAYED = 2e-3, 5e-4

#: The programmes of the host that cells start.
PROGRAMMES = ("E_A", "E_TK", "E_TP", "E_M", "E_MK")


@dataclass(frozen=True)
class Row:
    """What a switch does.

    Attributes
    ----------
    moves, stays
        Quantities that differ with the switch off, and quantities that do not.
    person
        ``late`` (albuminuria, eGFR near 35), ``early``, or ``new`` (type 1 diabetes with insulitis).
    values
        What else is set, with the switch on and off.
    """

    moves: tuple[str, ...]
    stays: tuple[str, ...] = PROGRAMMES
    person: str = "late"
    values: dict[str, float] = field(default_factory=dict)


#: Glucose held, so that a better kidney does not reach metabolism.
HELD = {"hold_glucose": 1.0, "glucose_held": 9.0}
#: And neither stage nor oxygen, which multiply every rate of repair as the kidney gets better.
PLAIN = {**HELD, "sw_stage": 0.0, "sw_oxygen_repair": 0.0}
#: And no beta cells that cells become or that the host makes, which the others would stand in for.
NO_NEW = {**HELD, "sw_become_beta": 0.0, "sw_neogenesis": 0.0}

#: Steps of insulin action in muscle, and the factor that each turns.
STEPS = ("sw_receptor_number", "sw_receptor_binding", "sw_post_receptor", "sw_GLUT4", "sw_glucose_bond")
MUSCLE = ("nR_m", "aR_m", "sI_m", "tau4_m", "a4_m")
LINEAGES = ("end", "pod", "mes", "tub", "beta", "ins")

ROWS: dict[str, Row] = {
    "sw_rebuild_nephrons": Row(
        ("r_N", "nephrons_surviving", "GFR", "eGFR"),
        (*PROGRAMMES, "r_I", "r_S", "r_E", "r_F", "AGE_late"),
        values=PLAIN,
    ),
    "sw_rebuild_interstitium": Row(
        ("r_I", "Vv_int"), (*PROGRAMMES, "r_N", "r_S", "r_E", "r_F", "AGE_late"), values=PLAIN
    ),
    "sw_rebuild_glomeruli": Row(
        ("r_S", "W_GBM", "V_mes", "hyalinosis", "UACR"),
        (*PROGRAMMES, "r_I", "r_E", "r_F", "AGE_late"),
        values=PLAIN,
    ),
    "sw_perfusion": Row(
        ("perfusion_m", "RBF", "RPF", "hypoxia"), (*PROGRAMMES, "r_N", "r_S", "AGE_late"), values=PLAIN
    ),
    "sw_oxygen_repair": Row(
        ("repair_m", "r_N", "r_I", "r_S", "r_E", "r_F", "tub_m", "nephrons_surviving"),
        (*PROGRAMMES, "AGE_late"),
        values={**HELD, "sw_stage": 0.0},
    ),
    "sw_insulin_vessel": Row(
        ("insulin_dilatation", "RPF", "R_A", "R_E"),
        (*PROGRAMMES, "cell_insulin", "Z_beta", "r_N", "AGE_late"),
        values=PLAIN,
    ),
    "sw_stage": Row(
        ("stage_m", "r_N", "r_I", "r_S", "pod_m"),
        PROGRAMMES,
        person="early",
        values={**HELD, "sw_oxygen_repair": 0.0},
    ),
    "sw_become_end": Row(("r_end", "Z_end", "capillaries_made", "capillary_density"), PROGRAMMES, values=PLAIN),
    "sw_become_pod": Row(("r_P", "Z_pod", "podocytes"), PROGRAMMES, values=PLAIN),
    "sw_become_mes": Row(("r_mes", "Z_mes", "V_mes"), PROGRAMMES, values=PLAIN),
    "sw_become_tub": Row(("r_tub", "Z_tub", "nephrons_surviving"), PROGRAMMES, values=PLAIN),
    "sw_AGE": Row(
        ("W_GBM", "V_mes", "effacement", "fenestration", "inflammation"),
        (*PROGRAMMES, "AGE_early", "AGE_late", "glycaemia"),
        values=PLAIN,
    ),
    # Insulin action, step by step: each factor alone, and what a clamp makes of it.
    "sw_sensitivity": Row(
        ("SI_m", *MUSCLE, "sHd", "clamp_M", "clamp_EGP"), (*PROGRAMMES, "dJ", "sec_m"), "early", HELD
    ),
    **{
        name: Row(
            (step, "clamp_M"), (*PROGRAMMES, "SI_m", "sHd", *(each for each in MUSCLE if each != step)), "early", HELD
        )
        for name, step in zip(STEPS, MUSCLE, strict=True)
    },
    "sw_liver_sensitivity": Row(("sHd", "clamp_EGP"), (*PROGRAMMES, "SI_m", *MUSCLE), "early", HELD),
    "sw_indirect": Row(
        ("dJ", "systemic_inflammation", "sHd"), ("E_M", "SI_m", *MUSCLE), "early", {**HELD, "sw_sensitivity": 0.0}
    ),
    # Other insulin cells: that they are there, and that they secrete.
    "sw_ectopic": Row(
        ("pool_ins", "ectopic", "extra_islet_insulin", "Z_ins"), (*PROGRAMMES, "gain_ins", "sec_m"), "early", HELD
    ),
    "sw_ectopic_repair": Row(
        ("secreting_ins", "ectopic", "extra_islet_insulin"), (*PROGRAMMES, "pool_ins", "Z_ins"), "early", HELD
    ),
    # Beta cells.
    "sw_autoimmunity": Row(
        ("eta_X", "autoimmune_rate", "beta_mass"), (*PROGRAMMES, "apo_m", "sec_m", "autoimmunity"), "new", HELD
    ),
    "sw_survival": Row(
        ("apo_m", "prog_m", "beta_apoptosis_rate", "beta_mass"), (*PROGRAMMES, "sec_m", "kre_m"), "early", NO_NEW
    ),
    "sw_replication": Row(("rep_m", "beta_mass"), (*PROGRAMMES, "apo_m", "prog_m", "sec_m", "kre_m"), "early", NO_NEW),
    "sw_neogenesis": Row(
        ("neogenesis", "kneo", "beta_mass"),
        (*PROGRAMMES, "apo_m", "sec_m"),
        "early",
        {**NO_NEW, "sw_neogenesis": 1.0},
    ),
    "sw_function": Row(("sec_m", "beta_function"), (*PROGRAMMES, "beta_mass", "rep_m", "apo_m"), "early", HELD),
    "sw_recovery": Row(("kre_m", "tox_m", "secretory_capacity"), (*PROGRAMMES, "sec_m", "apo_m"), "early", HELD),
    # What cells become, beside the lineages of the kidney above.
    "sw_become_beta": Row(
        ("turn_beta", "Z_beta", "kneo", "beta_mass"), (*PROGRAMMES, "turn_pod", "turn_ins", "turn_tub"), "early", HELD
    ),
    "sw_become_ins": Row(("turn_ins", "Z_ins"), (*PROGRAMMES, "turn_beta", "turn_pod", "sec_m"), "early", HELD),
    "sw_differentiation": Row(
        tuple(f"{kind}_{lineage}" for kind in ("turn", "Z") for lineage in LINEAGES),
        ("E_A", "E_TK", "sec_m"),
        values=PLAIN,
    ),
    "sw_conditions": Row(
        ("turn_pod", "turn_tub", "turn_beta", "Z_pod", "Z_beta"),
        ("E_A", "E_TK", "E_TP", "sec_m"),
        values={**PLAIN, "commitment_K": 1.5, "commitment_P": 0.5},
    ),
    "sw_renewal": Row(("births_K", "births_P", "G_K", "G_P"), ("turn_pod", "turn_beta", "k_settle"), values=PLAIN),
    "sw_engraftment": Row(("k_settle", "G_K", "G_P"), ("turn_pod", "turn_beta"), values=PLAIN),
    # Programmes of the host: each alone.
    "sw_angiogenic": Row(("E_A", "gain_end"), ("E_TK", "E_TP", "E_M", "E_MK"), values=PLAIN),
    "sw_trophic_K": Row(("E_TK", "pod_m"), ("E_A", "E_TP", "E_M", "E_MK"), values=PLAIN),
    "sw_trophic_P": Row(("E_TP", "sec_m"), ("E_A", "E_TK", "E_M", "E_MK"), "early", PLAIN),
    "sw_immune": Row(("E_M", "E_MK", "SI_m", "fib_m"), ("E_A", "E_TK", "E_TP"), values=PLAIN),
    # Multipliers of the kidney.
    "sw_endothelium": Row(("gain_end", "r_F"), PROGRAMMES, values=PLAIN),
    "sw_podocyte": Row(("pod_m", "podocytes"), (*PROGRAMMES, "fib_m", "gfr_m"), values=PLAIN),
    "sw_tubule": Row(("tub_m",), (*PROGRAMMES, "pod_m", "fib_m", "gfr_m"), values=PLAIN),
    "sw_fibrosis": Row(("fib_m", "V_mes"), (*PROGRAMMES, "pod_m", "gfr_m"), values=PLAIN),
    "sw_inflammation": Row(("j", "inflammation"), (*PROGRAMMES, "pod_m", "fib_m", "gfr_m"), values=PLAIN),
    "sw_filtration": Row(("gfr_m", "eGFR"), (*PROGRAMMES, "pod_m", "fib_m"), values=PLAIN),
}

#: Mechanisms that are only claimed: under no other scenario does turning them change anything.
CLAIMED = (
    *(name for name in ROWS if name.startswith("sw_rebuild")),
    *("sw_perfusion", "sw_oxygen_repair", "sw_insulin_vessel", "sw_stage"),
    *("sw_post_receptor", "sw_glucose_bond", "sw_ectopic", "sw_ectopic_repair", "sw_become_ins", "sw_conditions"),
    *("sw_renewal", "sw_replication", "sw_neogenesis", "sw_recovery"),
)

#: Switches that no row is about, and where they are tested.
ELSEWHERE = {
    "test_cells_effects.py": {
        *("sw_homing", "sw_maldifferentiation", "sw_sensitisation", "sw_hypoxia", "sw_plugging", "sw_deficit_gate"),
    }
}


def people() -> dict[str, int]:
    """Return places in the library: someone with late and with early disease of the kidneys, and with new type 1 diabetes."""
    table = default().table
    late = (table["true_egfr"].between(30, 42)) & (table["true_uacr"] > 300) & (table["T1D"] == 0)
    early = (table["true_egfr"] > 75) & (table["true_uacr"].between(30, 150)) & (table["T1D"] == 0)
    new = (table["T1D"] == 1) & (default().initial["autoimmunity"] > 0.5) & (default().initial["beta_mass"] > 0.1)
    return {name: int(np.flatnonzero(found)[0]) for name, found in (("late", late), ("early", early), ("new", new))}


def chosen(library: Library, places: list[int]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return values and states of people of the library, under the scenario in which everything is claimed."""
    model = whole_body.named_model("reference")
    values = {name: numbers[places].astype(float) for name, numbers in library.parameters.items()}
    claimed = cell_parameters.scenario_values(model, "seed-claims")
    values |= {name: np.full(len(places), number) for name, number in claimed.items()}
    return values, {name: numbers[places] for name, numbers in library.initial.items()}


@pytest.fixture(scope="module")
def after_a_year() -> dict[str, dict[str, dict[str, float]]]:
    """Return every quantity of the table a year later, by switch, ``on`` and ``off``."""
    model = whole_body.named_model("reference")
    jobs = [(name, side) for name in ROWS for side in ("on", "off")]
    place = people()
    values, initial = chosen(default(), [place[ROWS[name].person] for name, _ in jobs])
    for number, (name, side) in enumerate(jobs):
        for key, value in {**ROWS[name].values, name: float(side == "on")}.items():
            values.setdefault(key, np.full(len(jobs), model.values()[key]))[number] = value
    # The same outputs as those of whole lives, so that the compiled program is shared.
    ensemble = Ensemble(model, life_course_ensemble().outputs, rtol=1e-7, atol=1e-10)
    result = ensemble.run(values, [YEAR], COURSE, initial)
    assert result.failures.empty, result.failures
    found = dict(zip(result.names, result.values[:, -1].T, strict=True))
    end = {name: found[name] for name in model.state_names}
    quantities = sorted({quantity for row in ROWS.values() for quantity in (*row.moves, *row.stays)})
    numbers = model.evaluate(quantities, values, end, {"t": YEAR})
    table: dict[str, dict[str, dict[str, float]]] = {name: {} for name in ROWS}
    for number, (name, side) in enumerate(jobs):
        table[name][side] = {key: float(np.broadcast_to(numbers[key], len(jobs))[number]) for key in quantities}
    return table


def change(on: float, off: float) -> float:
    return abs(on - off) / max(abs(on), abs(off), 1e-300)


@pytest.mark.parametrize("name", ROWS)
def test_a_switch_changes_what_its_mechanism_says_and_nothing_before_it(
    name: str, after_a_year: dict[str, dict[str, dict[str, float]]]
) -> None:
    on, off = after_a_year[name]["on"], after_a_year[name]["off"]
    moved = {key: change(on[key], off[key]) for key in (*ROWS[name].moves, *ROWS[name].stays)}
    assert not {key: moved[key] for key in ROWS[name].moves if moved[key] < MOVED}, "should move"
    assert not {key: moved[key] for key in ROWS[name].stays if moved[key] > STAYED}, "should stay"


def test_every_switch_of_the_whole_person_has_its_row() -> None:
    switches = {name for name in whole_body.named_model("reference").inputs if name.startswith("sw_")}
    elsewhere = {name for names in ELSEWHERE.values() for name in names}
    assert not set(ROWS) & elsewhere
    assert switches == set(ROWS) | elsewhere


@pytest.mark.parametrize("scenario", ["none", "current-evidence"])
def test_what_is_only_claimed_does_nothing_bit_for_bit(scenario: str) -> None:
    """In both scenarios every rate of every state is the same with a claimed mechanism on and off."""
    model = whole_body.named_model("reference")
    library = default()
    place = people()
    claimed = list(CLAIMED)
    places = [place[person] for person in ("late", "early") for _ in range(len(claimed) + 1)]
    values, states = chosen(library, places)
    values |= {
        name: np.full(len(places), value) for name, value in cell_parameters.scenario_values(model, scenario).items()
    }
    states |= {key: np.full(len(places), 0.6) for key in PROGRAMMES if key.startswith("E_")}
    states |= {key: np.full(len(places), 20.0) for key in model.state_names if key[:2] in ("N_", "G_", "Z_", "I_")}
    states["capillaries_made"] = np.full(len(places), 0.05)
    for number, name in enumerate(claimed, 1):
        off = np.ones(len(places))
        off[[number, number + len(claimed) + 1]] = 0.0
        values[name] = off
    rates = np.array(model_rates(values, states))
    half = rates.reshape(len(rates), 2, -1)
    for number, name in enumerate(claimed, 1):
        np.testing.assert_array_equal(half[..., number], half[..., 0], err_msg=name)


def model_rates(values: dict[str, np.ndarray], states: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Return the rate of every state, one column a person."""
    from betapod.model.algebra.evaluate import compile_function

    model = whole_body.named_model("reference")
    numbers = {"t": 0.0, **model.values(), **values, **states}
    compute = compile_function([state.rate for state in model.states], [list(numbers)])
    size = len(next(iter(values.values())))
    columns = [np.broadcast_to(np.asarray(item, dtype=float), size) for item in numbers.values()]
    return list(np.array([compute([float(column[person]) for column in columns]) for person in range(size)]).T)

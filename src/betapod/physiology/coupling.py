"""One person: where kidney, metabolism and cell therapy meet.

The three organs were specified apart. Here one name stands for one quantity: what one of them owns replaces the input of the same
name in the others, and where two act on the same quantity (a drug and a cell product on insulin sensitivity, say) the effects are
combined before anyone reads them. `docs/background/coupling.md` gives the reason for each decision.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ..model import Part, Submodel
from ..model.assembly.submodel import Read
from . import whole_body


class LongGlucose(Submodel):
    """Mean glucose as all organs see it: that of the metabolic day, or held at a value for an experiment.

    With `hold_glucose` 1 the whole body lives at `glucose_held`, whatever metabolism does: the kidney's own reference runs, and
    questions such as what strict control would have done.
    """

    reads = ("G_day [mmol/L]", "hold_glucose [1]", "glucose_held [mmol/L]")
    equations = """
    G = (1 - hold_glucose)*G_day + hold_glucose*glucose_held     [mmol/L]   mean plasma glucose over 24 h
    """


class BodySurface(Submodel):
    """Body surface from height and weight, relative to the reference adult (square root of their product)."""

    reads = ("BW [kg]", "height [cm]")
    equations = """
    BSA_person = BSA*sqrt(height/height_reference*BW/BW_reference)     [m^2]   body surface area
    """


class MeasuredFiltration(Submodel):
    """Filtration and perfusion as changed by cells and by acute kidney injury, reversibly.

    The functional gain of filtration (trials in kidney disease) has no known haemodynamic cause. It acts on what is filtered and
    cleared, and so on creatinine and eGFR, not on glomerular pressure, from which it would draw effects nobody has seen. Plugged
    arterioles cost filtration and perfusion alike. An episode of acute kidney injury multiplies the same measured filtration, and so
    does immunosuppression for a graft.
    """

    reads = ("GFR [mL/min]", "RBF [L/min]", "gfr_m [1]", "plug_loss [1]", "aki_m [1]", "immunosuppressed_m [1]")
    equations = """
    GFR_measured  = GFR*gfr_m*aki_m*immunosuppressed_m   [mL/min]  glomerular filtration rate as measured
    RBF_perfusing = RBF*(1 - plug_loss)      [L/min]   renal blood flow that reaches the capillaries
    RBF_rel       = RBF/RBF0                 [1]       renal blood flow relative to normal
    """


class NewCapillaries(Submodel):
    """Capillaries that cells have added, against the density that there would be without them."""

    reads = ("capillaries_made [1]", "capillary_density [1]")
    equations = """
    capillary_gain = capillaries_made/(capillary_density - capillaries_made)     [1]  capillaries added by cells, relative to the others
    """


class DiseaseStage(Submodel):
    """How early the kidney disease is, from the person's own albuminuria and filtration.

    Early is an albumin-creatinine ratio below 300 mg/g and an eGFR from 60 mL/min/1.73m2: grades A1 or A2 and G1 or G2 of KDIGO, with
    smooth borders. A grade asks for three months of persistence. Who has been late stays late for as long as lesions take to heal:
    the claim is about the stage at which treatment begins, not about numbers that treatment has moved. Of the formula of eGFR only
    the branch for raised creatinine is needed, which is exact below about 90 and has no kink.
    """

    reads = ("UACR [mg/g]", "S_cr [mg/dL]", "eGFR_kappa [mg/dL]", "age_now [year]", "female [1]")
    equations = """
    eGFR_raised = eGFR_scale*(S_cr/eGFR_kappa)^eGFR_exponent*eGFR_age^(age_now/one_year)*eGFR_female^female
                                                                       [mL/min/1.73m2]  eGFR by the branch for raised creatinine
    early_now   = logistic(log(UACR_late/UACR)/w_UACR_late)*logistic((eGFR_raised - eGFR_late)/w_eGFR_late)
                                                                       [1]      albuminuria and filtration are those of early disease
    early_stage(0)  = 1                                                [1]      early stage of disease (1) or late (0)
    dearly_stage/dt = early_now*(1 - early_stage)/(tau_remission*day_per_year) - (1 - early_now)*early_stage/tau_stage   [1/day]
    """


class Uraemia(Submodel):
    """What a failing kidney does to the rest of the body: young red cells, inflammation, and the flag of kidney disease.

    Red cells live shorter in uraemia, so that HbA1c reads low: mean age 47.7 days on haemodialysis against 59.8. The course with
    filtration is assumed to be that of the other uraemic effects.
    """

    reads = ("uraemia_excess [1]", "rRBC_person [1]", "GFR_measured [mL/min]")
    equations = """
    rRBC       = rRBC_person*(1 - rRBC_uraemic_loss*uraemia_excess)                 [1]   mean red-cell age, relative
    dJ_uraemia = dJ_uraemia_max*uraemia_excess                                      [1]   change of systemic inflammation by uraemia
    CKD        = logistic((CKD_threshold - GFR_measured)/CKD_width)                 [1]   kidney disease (1) or none (0)
    """


class InflammationExchange(Submodel):
    """Inflammation of the body on the kidney and on product cells; uraemia, cells and drugs act on that of the body.

    Intrarenal inflammation was tuned without a systemic term, and uraemic insulin resistance stands for systemic inflammation of
    kidney disease already: both gains are 0 unless a question asks for them, so that nothing counts twice.
    """

    reads = ("systemic_inflammation [1]",)
    equations = """
    inflammation_added = c_J_systemic*(systemic_inflammation - inflammation_baseline)   [1]   drive of intrarenal inflammation
    host_inflammation  = systemic_inflammation                                      [1]   inflammation that shortens the life of cells
    """


class DamageSignals(Submodel):
    """What product cells find in the patient: damage that attracts them, hypoxia, and how many native cells are left.

    Damage is 0 in health and saturates at 1. That of the kidney follows intrarenal inflammation and hypoxia, that of the
    pancreas the missing beta cells and autoimmunity; half-points are assumed, such that usual diabetic disease lies near the
    0.5 of the cell model's reference runs. The hypoxic drive of secretion comes from the kidney's own oxygen balance: one
    capillary bed, one hypoxia; the angiogenic programme multiplies that bed's own proliferation. Insulin cells outside islets are
    not lost in this model, nor are mesangial cells: where their arrival is claimed (`arrive_mes` 1) an expanded mesangium has too few
    of them for its matrix. A removed kidney lacks no tubular cells. What is claimed for insulin action and secretion is repair: it
    ends where glucose is normal.
    """

    reads = (
        "G [mmol/L]",
        "inflammation [1]",
        "hypoxia [1]",
        "hypoxia_excess [1]",
        "VEGF [1]",
        "capillary_density [1]",
        "podocytes [1]",
        "nephrons_surviving [1]",
        "mesangial_share [1]",
        "beta_mass [1]",
        "autoimmunity [1]",
        "T1D [1]",
        "sw_hypoxia [1]",
        "m3_graft [1]",
    )
    equations = """
    damage_K      = (inflammation + hypoxia_excess)/(inflammation + hypoxia_excess + damage_K_half)   [1]   damage signal of the kidneys
    islet_damage  = softplus(1 - beta_mass - islet_reserve, deficit_smoothing) + T1D*autoimmunity   [1]   missing beta cells and insulitis
    damage_P      = islet_damage/(islet_damage + damage_P_half)                           [1]   damage signal of the pancreas
    glucose_above_normal = smooth_min(softplus(G - normal_glucose, normal_glucose_smoothing)/repair_glucose_range, 1, cap_sharpness)
                                                                                          [1]   mean glucose above normal, 0 to 1
    hypoxic_drive = sw_hypoxia*hypoxia/(hypoxia + hypoxia_half)                           [1]   hypoxic stimulus to secretion
    proliferation_end = k_angiogenesis*VEGF/day_per_year       [1/day]   proliferation of renal endothelium
    native_end  = capillary_density        [1]   native renal endothelial cells relative to normal
    native_pod  = podocytes/podocytes0     [1]   native podocytes relative to normal, per glomerulus
    native_mes  = 1 - arrive_mes*(1 - mesangial_share)   [1]   native mesangial cells relative to normal
    native_tub  = nephrons_surviving       [1]   native tubular cells relative to normal
    native_beta = beta_mass                [1]   native functional beta cells relative to normal
    native_ins  = 1                        [1]   native extra-islet insulin cells relative to normal
    graft_equivalents = m3_graft           [1]   functional islet graft in normal beta-cell masses
    """


def _parts(model: str) -> list[Part]:
    return [entry if isinstance(entry, Part) else entry.part() for entry in whole_body.submodels(model)]


def _with_seams(parts: Iterable[Part], names: Mapping[str, Mapping[str, str]]) -> tuple[Part, ...]:
    """Rename quantities of single parts where organs meet."""
    joined = []
    for part in parts:
        seams = names.get(part.name, {})
        if seams:
            declared = {read.name for read in part.reads} | set(part.names)
            part = part.renamed(seams, part.name)
            # What was a parameter is now owned by another part, so it must be declared as read.
            added = tuple(Read(new, None) for old, new in seams.items() if old not in declared)
            part = replace(part, reads=(*part.reads, *added))
        joined.append(part)
    return tuple(joined)


KIDNEY = _with_seams(
    # Clearance and the laboratory see filtration as changed by cells too: MeasuredFiltration below gives it.
    (part for part in _parts("kidney") if part.name != "ClearedFiltration"),
    # Capillaries see the flow that reaches them.
    {"Oxygen": {"RBF": "RBF_perfusing"}},
)

METABOLISM = _with_seams(
    _parts("metabolism"),
    {
        "CPeptideKinetics": {"BSA": "BSA_person"},
        "DayPhases": {"G": "G_day"},
    },
)

CELLS = _with_seams(
    # The whole person simulates what the reduced forms stand for.
    (part for part in _parts("cells") if part.name not in ("CapillariesHypoxia", "FirstPass", "ReducedForms")),
    # Cells and metabolism call the same factor on secretion per beta cell by two names.
    {"PancreaticEffects": {"fn_m": "sec_m"}},
)

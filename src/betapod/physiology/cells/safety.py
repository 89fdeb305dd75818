"""Adverse events of cell therapy as chances and hazards; trials draw them at each infusion, course or year."""

from __future__ import annotations

from ...model import Submodel


class InfusionRisks(Submodel):
    """Chances per infusion, procedure or course, and factors on hazards of the host.

    Only fever is raised beyond doubt in randomised trials of stromal cells (risk ratio 2.48, Thompson 2020). Thrombosis is
    weighted by the tissue factor of the product and by kidney disease; both weights are assumed, only their direction is known.
    The chance of a lesion after intrarenal injection rests on one case with an unknown denominator, and so does that of kidney failure
    after infusion of the person's own cells into somebody with kidney disease. A placebo infusion has the chances that end in
    ``_control``; an arterial or portal procedure has its own, whatever is infused.
    """

    reads = ("TF_source [1]", "CKD [1]", "HLA_mm [1]")
    equations = """
    p_fever      = p_fever_active                                      [1]  transient fever, per infusion
    p_fever_control = p_fever_active/RR_fever                          [1]  the same after placebo
    p_reaction   = p_reaction_control*RR_reaction                      [1]  other infusion reaction, per infusion
    p_thrombosis = p_thrombosis_base*TF_source*(1 + (RR_CKD - 1)*CKD)  [1]  thrombosis, per infusion
    p_thrombosis_control = p_thrombosis_base/RR_thrombosis*(1 + (RR_CKD - 1)*CKD)  [1]  the same after placebo
    p_artery     = p_arterial_procedure                                [1]  access or contrast injury, per arterial procedure
    p_lesion     = p_intrarenal_lesion                                 [1]  proliferative lesion, per intrarenal injection
    p_kidney_loss = p_kidney_loss_base*CKD*(1 - HLA_mm)                [1]  kidney failure after own cells, per course
    p_antibody   = p_DSA*HLA_mm                                        [1]  donor-specific antibody, per course
    p_bleeding   = p_portal_bleeding                                   [1]  bleeding, per portal procedure
    p_portal_clot = p_portal_thrombosis                                [1]  thrombosis of a portal branch, per portal procedure
    p_growth     = p_offtarget                                         [1]  off-target growth of a stem-cell-derived graft, cumulative
    infection_m  = RR_infection                                        [1]  factor on the host's hazard of infection
    malignancy_m = RR_malignancy                                       [1]  factor on the host's hazard of malignancy
    thrombosis_m = RR_thrombosis                                       [1]  factor on the host's hazard of thromboembolism
    """


class ImmunosuppressionRisk(Submodel):
    """Serious adverse events under immunosuppression, as a rate per year and as the number expected so far."""

    reads = ("adherence_IS [1]", "kidney_recipient [1]")
    equations = """
    SAE_rate = adherence_IS*(SAE_alone*(1 - kidney_recipient) + SAE_after_kidney*kidney_recipient)
                                                                       [1/year]  rate of serious adverse events
    dSAE_expected/dt = SAE_rate                                        [1/year]
    SAE_expected(0)  = 0                                               [1]       expected number of serious adverse events
    """

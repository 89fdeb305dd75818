"""Islet grafts: donor islets and islets made from stem cells, under immunosuppression or hidden from immunity."""

from __future__ import annotations

from ...model import Submodel


class IsletGraft(Submodel):
    """A graft that matures in four stages and then functions until it fails.

    Islets made from stem cells start in the first stage, donor islets in the last. Infusion and the blood-mediated reaction take
    their toll at the dose; what is left is `graft_taken` of donor islets and `graft_taken_stem` of islets made from stem cells.
    Recipients differ in it, on the scale of log odds. Functional cells are lost under immunosuppression at a rate that differs
    between recipients (`del_on_factor`), at that of unprotected foreign tissue, or at neither for a graft that immunity does not
    see (autologous, hypoimmune); recurrent autoimmunity comes on top. Some grafts fail within two years while half last beyond
    six: one rate for everybody would let none fail, or all at one time. Four stages follow the C-peptide of the first recipients
    of stem-cell islets on days 90, 180 and 365 (Reichman 2025). The graft's share of a normal beta-cell mass is that which makes
    the metabolic model secrete this C-peptide.
    """

    reads = ("adherence_IS [1]", "graft_hidden [1]")
    equations = """
    left(lost, shift) = (1 - lost)/(1 - lost + lost*exp(shift))      [1]
    graft_taken = left(f_proc, f_proc_shift)*left(f_ibmir, f_ibmir_shift)   [1]   donor islets that survive infusion and first days
    graft_taken_stem = left(f_proc_stem, spread_stem*f_proc_shift)*left(f_ibmir_stem, spread_stem*f_ibmir_shift)
                                                                     [1]      the same of islets made from stem cells
    del_allo    = adherence_IS*del_on*del_on_factor/day_per_year + (1 - adherence_IS)*del_off   [1/day]  loss of a foreign graft
    del_f       = (1 - graft_hidden)*del_allo + del_auto*(1 - Imax_auto_IS)       [1/day]  loss of functional graft cells
    dI_1/dt = -(k_mat + del_e)*I_1                                   [Mcell/day]
    dI_2/dt = k_mat*(I_1 - I_2) - del_e*I_2                          [Mcell/day]
    dI_3/dt = k_mat*(I_2 - I_3) - del_e*I_3                          [Mcell/day]
    dI_4/dt = k_mat*(I_3 - I_4) - del_e*I_4                          [Mcell/day]
    dI_f/dt = k_mat*I_4 - del_f*I_f                                  [Mcell/day]
    I_1(0) = 0   [Mcell]  graft cells, first stage of maturation
    I_2(0) = 0   [Mcell]  graft cells, second stage of maturation
    I_3(0) = 0   [Mcell]  graft cells, third stage of maturation
    I_4(0) = 0   [Mcell]  graft cells, last stage of maturation
    I_f(0) = 0   [Mcell]  functional graft cells
    beq        = I_f*beta_frac*f_fun_graft                           [Mcell]  beta-cell equivalents of the graft
    graft_C_peptide    = C_per_beq*beq                               [pmol/L] stimulated C-peptide from the graft, reduced form
    m3_graft   = graft_C_peptide/C_per_mass                          [1]      functional graft in normal beta-cell masses
    graft_independence = logistic((beq - beq_50)/beq_width)          [1]      chance that this graft frees from insulin, reduced form
    dI_dead/dt = del_e*(I_1 + I_2 + I_3 + I_4) + del_f*I_f           [Mcell/day]
    I_dead(0)  = 0                                                   [Mcell]  graft cells that have died
    """


class ImmunosuppressedFiltration(Submodel):
    """What immunosuppression for a graft takes from measured filtration, as long as it is taken.

    Calcineurin inhibitors constrict renal vessels: cyclosporine took 13 % of filtration from healthy people in two weeks, tacrolimus
    in the doses of today nothing (tacrolimus2002). Tacrolimus goes with islets, so that the loss is 0 unless it is set. Recipients of a kidney take it
    anyway. Scar and vessel disease after years of it are not modelled: cohorts of recipients disagree on them.
    """

    reads = ("adherence_IS [1]", "kidney_recipient [1]")
    equations = """
    immunosuppressed_m = 1 - IS_filtration_loss*adherence_IS*(1 - kidney_recipient)   [1]   factor of immunosuppression on measured filtration
    """

"""Islet grafts: donor islets and islets made from stem cells, under immunosuppression or hidden from immunity."""

from __future__ import annotations

from ...model import Submodel


class IsletGraft(Submodel):
    """A graft that matures in four stages and then functions until it fails.

    Islets made from stem cells start in the first stage, donor islets in the last. Infusion and the blood-mediated reaction take
    their toll at the dose (`graft_taken` is what is left). Functional cells are lost at the rate of recipients under
    immunosuppression, at that of unprotected foreign tissue, or at neither for a graft that immunity does not see
    (autologous, hypoimmune); recurrent autoimmunity comes on top. Four stages at 0.0319 per day follow the C-peptide of the
    first recipients of stem-cell islets on days 90, 180 and 365 (Reichman 2025) within 13 pmol/L.
    """

    reads = ("adherence_IS [1]", "graft_hidden [1]")
    equations = """
    graft_taken = (1 - f_proc)*(1 - f_ibmir)                         [1]      survive infusion and first days
    del_allo    = adherence_IS*del_on/day_per_year + (1 - adherence_IS)*del_off   [1/day]  loss of a foreign graft
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
    m3_graft   = beq/count_beta                                          [1]      functional graft in normal beta-cell masses
    graft_C_peptide    = C_per_beq*beq                               [pmol/L] stimulated C-peptide from the graft, reduced form
    graft_independence = logistic((beq - beq_50)/beq_width)          [1]      chance that this graft frees from insulin, reduced form
    dI_dead/dt = del_e*(I_1 + I_2 + I_3 + I_4) + del_f*I_f           [Mcell/day]
    I_dead(0)  = 0                                                   [Mcell]  graft cells that have died
    """

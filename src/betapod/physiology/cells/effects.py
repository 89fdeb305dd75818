"""Effects of the host programmes: one multiplier or rate for each target."""

from __future__ import annotations

from ...model import Submodel


class EarlyStage(Submodel):
    """The claim that treatment works best early: a factor on every maximal effect, 1 under current evidence."""

    reads = ("early_stage [1]", "sw_stage [1]")
    equations = """
    stage_m = exp(sw_stage*early_stage*log(beta_stage))      [1]  factor on every maximal effect at an early stage
    """


class RepairToNormal(Submodel):
    """Claimed repair of insulin action and of secretion ends where glucose is normal; what trials measured is a gain without end."""

    reads = ("glucose_above_normal [1]",)
    equations = """
    unrepaired = 1 - repair_to_normal*(1 - glucose_above_normal)      [1]  what is left to repair in insulin action and secretion
    """


class PancreaticEffects(Submodel):
    """Effects on beta cells and on other insulin-secreting cells.

    Protection from autoimmunity answers to the immune programme, all else to the trophic programme of the pancreas. A maximal
    inhibition times the stage factor is held below 1, so that no multiplier turns negative. Neogenesis and a gain of replication
    fill what is missing: they are weighted by the deficit of beta cells, which counts as 1 while the gate is open. Survival is
    that of cells which glucose or the inherited course of type 2 diabetes would take.

    Other insulin-secreting cells are said to lie in liver, fat, spleen, marrow and thymus; they were found in diabetic rodents
    (Kojima 2004). Where they lie is not modelled: all secrete into the systemic circulation, without the first pass through the
    liver. That they are there (`sw_ectopic`) and that they secrete (`sw_ectopic_repair`) are two claims: without product cells,
    or without repair, they secrete nothing in any scenario.
    """

    reads = (
        "E_TP [1]",
        "missing_beta [1]",
        "E_M [1]",
        "stage_m [1]",
        "unrepaired [1]",
        "T1D [1]",
        "native_ins [1]",
        "Z_ins [Mcell]",
        "sw_autoimmunity [1]",
        "sw_survival [1]",
        "sw_replication [1]",
        "sw_neogenesis [1]",
        "sw_function [1]",
        "sw_recovery [1]",
        "sw_ectopic [1]",
        "sw_ectopic_repair [1]",
    )
    equations = """
    held(x) = smooth_min(x*stage_m, 1, cap_sharpness)                                  [1]
    eta_X   = sw_autoimmunity*held(Imax_auto)*E_M                                      [1]  inhibition of autoimmune beta-cell killing
    auto_m  = 1 - eta_X                                                                [1]  factor on autoimmune beta-cell killing
    apo_m   = 1 - sw_survival*held(Imax_apo)*E_TP                                      [1]  factor on metabolic beta-cell apoptosis
    prog_m  = 1 - sw_survival*held(Imax_decline)*E_TP                                  [1]  factor on the inherited loss of beta cells
    rep_m   = 1 + sw_replication*stage_m*Emax_rep*missing_beta*E_TP                    [1]  factor on beta-cell replication
    neogenesis = sw_neogenesis*nu_neo*missing_beta*E_TP                                      [Mcell/day]  new beta cells from the host
    fn_m    = 1 + sw_function*stage_m*(Emax_fn_T2D*(1 - T1D) + Emax_fn_T1D*T1D)*E_TP*unrepaired   [1]  factor on secretion per beta cell
    kre_m   = 1 + sw_recovery*stage_m*Emax_rediff*E_TP                                 [1]  factor on redifferentiation of beta cells
    tox_m   = 1 - sw_recovery*held(Imax_tox)*E_TP                                      [1]  factor on glucotoxicity to beta cells
    gain_ins     = stage_m*Emax_ins*E_M*unrepaired                     [1]  gain of secretion of other insulin cells
    secreting_ins = sw_ectopic_repair*(native_ins*gain_ins + f_fun_ins*Z_ins/count_ins*(1 + gain_ins))
                                                               [1]  other insulin cells that secrete, relative to their normal number
    ectopic = sw_ectopic*s_ins*secreting_ins*count_ins/count_beta
                                                               [1]  extra-islet insulin secretion, in normal beta-cell masses
    """


class MetabolicEffects(Submodel):
    """Effects on insulin sensitivity: of the receptor, of what follows it, and of glucose transport.

    The measured gain of sensitivity is split between receptor and GLUT4 by an exponent that no human study identifies. Whether
    cells act on insulin sensitivity at all is a question of its own (`acts_SI`, shared with the liver and with the two gains
    below): a draw of what is known may say no. Coupling behind the receptor and the bond between transporter and glucose are
    claimed beside it and have gains of their own, 0 but where a claim is under test.
    """

    reads = (
        "E_M [1]",
        "stage_m [1]",
        "unrepaired [1]",
        "sw_sensitivity [1]",
        "sw_post_receptor [1]",
        "sw_glucose_bond [1]",
    )
    equations = """
    SI_m       = 1 + sw_sensitivity*stage_m*acts_SI*Emax_SI*E_M*unrepaired   [1]          factor on insulin sensitivity
    receptor_m = SI_m^theta_R                                 [1]        its share at the insulin receptor
    GLUT4_m    = SI_m^(1 - theta_R)                           [1]        its share at glucose transport
    post_receptor_m = 1 + sw_sensitivity*sw_post_receptor*stage_m*acts_SI*Emax_post_receptor*E_M*unrepaired
                                                              [1]        factor on the signal behind the receptor, as claimed
    glucose_bond_m  = 1 + sw_sensitivity*sw_glucose_bond*stage_m*acts_SI*Emax_glucose_bond*E_M*unrepaired
                                                              [1]        factor on the bond of glucose to GLUT4, as claimed
    """


class ReducedForms(Submodel):
    """What stands for HbA1c where no metabolism runs, and for the loss of eGFR where no glomerulus does.

    Only in models of cells alone: the whole person simulates both, and to read these too would count an effect twice.
    """

    reads = ("E_M30 [1]", "E_MK [1]", "sw_HbA1c [1]", "sw_slope [1]")
    equations = """
    dHbA1c_reduced = -sw_HbA1c*h_A1c*E_M30                    [percent]  change of HbA1c, reduced form without metabolism
    slope_m        = 1 - sw_slope*r_slope*E_MK                [1]        factor on the slope of eGFR, reduced form
    """


class RenalEffects(Submodel):
    """Effects on the kidney: endothelium, podocytes, tubules, matrix, inflammation, filtration.

    The functional gain of filtration is reversible and acts on eGFR as measured.

    Three claims have a gain of 0 unless they are under test. Blood flow follows the capillaries that cells have added: as vessels in
    parallel they raise the conductance of the bed by `k_perfusion` times their share. The oxygen that they bring accelerates every
    repair; supply counts as in the kidney, density times conductance, as a logarithm. Insulin of product cells or grafts dilates
    renal vessels, half of it at one normal beta-cell mass.
    """

    reads = (
        "E_A [1]",
        "E_TK [1]",
        "E_MK [1]",
        "Z_mal [Mcell]",
        "stage_m [1]",
        "plug_loss [1]",
        "capillary_gain [1]",
        "Z_beta [Mcell]",
        "Z_ins [Mcell]",
        "m3_graft [1]",
        "sw_perfusion [1]",
        "sw_oxygen_repair [1]",
        "sw_insulin_vessel [1]",
        "sw_endothelium [1]",
        "sw_podocyte [1]",
        "sw_tubule [1]",
        "sw_fibrosis [1]",
        "sw_inflammation [1]",
        "sw_filtration [1]",
    )
    equations = """
    held(x)  = smooth_min(x*stage_m, 1, cap_sharpness)            [1]
    gain_end = sw_endothelium*stage_m*Emax_end*E_A                [1]  gain of endothelial proliferation
    end_m    = 1 + gain_end                                       [1]  factor on endothelial proliferation
    pod_m    = 1 - sw_podocyte*held(Imax_pod)*E_TK                [1]  factor on podocyte loss
    perfusion_m   = 1 + sw_perfusion*k_perfusion*capillary_gain   [1]  factor of new capillaries on vascular conductance
    oxygen_gained = log(1 + capillary_gain) + log(perfusion_m)    [1]  log gain of oxygen supply by new capillaries
    repair_m = 1 + sw_oxygen_repair*k_oxygen_repair*oxygen_gained [1]  factor of oxygen on the speed of repair
    tub_m    = 1 + sw_tubule*stage_m*Emax_tub*E_TK*repair_m       [1]  factor on tubular repair
    fib_m    = 1 - sw_fibrosis*held(Imax_fib)*E_MK                [1]  factor on matrix and fibrosis formation
    fib_add  = k_mal*Z_mal                                        [1]  fibrosis by mal-differentiated cells, relative to normal formation
    j        = sw_inflammation*held(Imax_inf)*E_MK                [1]  inhibition of intrarenal inflammation
    inf_m    = 1 - j                                              [1]  factor on inflammation
    gfr_m    = (1 + sw_filtration*g_GFR*E_MK)*(1 - plug_loss)      [1]  factor on GFR, functional
    cell_insulin = (f_fun_beta*Z_beta + s_ins*f_fun_ins*Z_ins)/count_beta + m3_graft
                                                                  [1]  insulin cells that were given, in normal beta-cell masses
    insulin_dilatation = sw_insulin_vessel*stage_m*k_insulin_vessel*cell_insulin/(1 + cell_insulin)
                                                                  [1]  log dilatation of renal vessels by insulin that they release
    """

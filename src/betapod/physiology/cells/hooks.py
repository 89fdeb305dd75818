"""Interface of cell effects: the names under which kidney and metabolism read them."""

from __future__ import annotations

from ...model import Submodel


class KidneyHooks(Submodel):
    """Hooks of the kidney, together with `j` of `RenalEffects`.

    `r_R` adds the gain of endothelial proliferation in absolute terms: a share of the host's own proliferation. `r_P` is exact: with
    deficit ``1 - P/P0`` the kidney's term ``r_P*(P0/P - 1)`` is the flux of functioning podocytes that differentiation gives.
    Endothelial, mesangial and tubular cells arrive by the same rule, `r_end`, `r_mes` and a part of `r_N`, where that is claimed.
    Maximal rates of repair and rebuilding (effacement, endothelium, nephrons, scar, sclerosis) have no human evidence: 0 unless a
    claim is under test. The trophic programme rebuilds nephrons, the immune programme removes scar and sclerosis. Better oxygen
    supply, where it is claimed to accelerate repair, multiplies every rate of repair (`repair_m`), not the arrival of cells.
    """

    reads = (
        "gain_end [1]",
        "proliferation_end [1/day]",
        "E_A [1]",
        "E_TK [1]",
        "E_MK [1]",
        "G_K [Mcell]",
        "stage_m [1]",
        "repair_m [1]",
        "turn_end [1/day]",
        "turn_pod [1/day]",
        "turn_mes [1/day]",
        "turn_tub [1/day]",
        "sw_podocyte [1]",
        "sw_endothelium [1]",
        "sw_rebuild_nephrons [1]",
        "sw_rebuild_interstitium [1]",
        "sw_rebuild_glomeruli [1]",
    )
    equations = """
    r_R = proliferation_end*gain_end                                     [1/day]  angiogenesis: added to capillary growth
    r_F = sw_endothelium*r_F_max*E_A*repair_m                            [1/day]  repair of endothelial fenestration
    r_E = sw_podocyte*r_E_max*E_TK*repair_m                              [1/day]  recovery from podocyte effacement
    r_P = turn_pod*f_fun_pod*G_K/count_pod                               [1/day]  podocyte replacement
    r_end = arrive_end*turn_end*f_fun_end*G_K/count_end                  [1/day]  arrival of endothelial cells in capillaries
    r_mes = arrive_mes*turn_mes*f_fun_mes*G_K/count_mes                  [1/day]  arrival of mesangial cells in the mesangium
    r_tub = arrive_tub*turn_tub*f_fun_tub*G_K/count_tub                  [1/day]  arrival of tubular cells, as nephrons
    r_N = sw_rebuild_nephrons*stage_m*r_N_max*E_TK*repair_m + r_tub      [1/day]  rebuilding of nephrons
    r_I = sw_rebuild_interstitium*stage_m*r_I_max*E_MK*repair_m          [1/day]  removal of interstitial scar
    r_S = sw_rebuild_glomeruli*stage_m*r_S_max*E_MK*repair_m             [1/day]  removal of glomerular sclerosis
    """


class MetabolismHooks(Submodel):
    """Hooks of metabolism, together with `eta_X`, `apo_m`, `prog_m`, `kre_m` and `tox_m` of `PancreaticEffects`.

    Insulin sensitivity has two routes, never to be counted twice. The direct route (default, `sw_sensitivity`) multiplies the
    signalling chain of muscle and, by `Emax_SH`, the sensitivity of the liver: HbA1c fell in blinded trials, which muscle alone
    cannot explain. Each step of the chain has its switch: receptor number and binding share the receptor part, translocation of
    GLUT4 takes the transport part; post-receptor coupling and the bond of glucose to GLUT4 move only where a claim is under test.
    The indirect route (`sw_indirect` 1, with `sw_sensitivity` 0) lowers systemic inflammation by `dJ` and raises hepatic
    sensitivity by `sH_gain`.
    """

    reads = (
        "SI_m [1]",
        "receptor_m [1]",
        "post_receptor_m [1]",
        "glucose_bond_m [1]",
        "E_M [1]",
        "neogenesis [Mcell/day]",
        "become_beta [1/day]",
        "G_P [Mcell]",
        "ectopic [1]",
        "stage_m [1]",
        "unrepaired [1]",
        "sw_indirect [1]",
        "sw_sensitivity [1]",
        "sw_receptor_number [1]",
        "sw_receptor_binding [1]",
        "sw_GLUT4 [1]",
        "sw_liver_sensitivity [1]",
    )
    equations = """
    nR_m   = receptor_m^(sw_receptor_number*(1 - theta_B))         [1]      factor on insulin receptor number
    aR_m   = receptor_m^(sw_receptor_binding*theta_B)              [1]      factor on insulin receptor binding
    sI_m   = post_receptor_m                                       [1]      factor on post-receptor coupling
    tau4_m = SI_m^(sw_GLUT4*(1 - theta_R))                         [1]      factor on GLUT4 translocation
    a4_m   = glucose_bond_m                                        [1]      factor on glucose affinity of GLUT4
    dJ     = -sw_indirect*dJ_max*E_M                               [1]      shift of systemic inflammation
    sHd    = 1 + (sw_indirect*sH_gain + sw_sensitivity*sw_liver_sensitivity*stage_m*acts_SI*Emax_SH*unrepaired)*E_M
                                                                   [1]      factor on hepatic insulin sensitivity
    kneo   = (neogenesis + f_fun_beta*become_beta*G_P)/count_beta      [1/day]  new functional beta cells, in normal masses
    Esrc   = k_ectopic*ectopic                                     [1/day]  source of extra-islet secretors, in normal masses
    """

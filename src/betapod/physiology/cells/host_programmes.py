"""Factors that product cells secrete, and the slow programmes of the host that they switch on."""

from __future__ import annotations

from ...model import Submodel


class CellSignals(Submodel):
    """Factor signals at their targets, at steady state with the living cells.

    Factors live minutes to hours, cells days: the signals are algebra. Local signals count cells per gram of organ. What reaches
    an organ from cells elsewhere is weighted by `w_sys`, about 10^-3 by the mass balance of VEGF: 100 million cells raise
    systemic plasma VEGF by about 0.06 pg/mL (output `VEGF_rise`). Hypoxia of the kidney raises angiogenic secretion. The immune
    signal counts cells wherever they lie, since benefit did not depend on the site of engraftment (von Bahr 2012).
    """

    reads = (
        *(f"N_{o} [Mcell]" for o in "LHSKPE"),
        "N_total [Mcell]",
        "G_K [Mcell]",
        "G_P [Mcell]",
        "BW [kg]",
        "hypoxic_drive [1]",
        "pi_A [1]",
        "pi_T [1]",
        "pi_M [1]",
    )
    equations = """
    c_K       = (N_K + G_K)/m_K                                                     [Mcell/g]  product cells per gram of kidney
    c_P       = (N_P + G_P)/m_P                                                     [Mcell/g]  product cells per gram of pancreas
    signal_A  = pi_A*(1 + (f_hyp - 1)*hypoxic_drive)*c_K + w_sys*pi_A*N_total/m_K   [Mcell/g]  angiogenic signal in the kidney
    signal_TK = pi_T*(c_K + w_sys*N_total/m_K)                                      [Mcell/g]  trophic signal in the kidney
    signal_TP = pi_T*(c_P + w_sys*N_total/m_P)                                      [Mcell/g]  trophic signal in the pancreas
    signal_M  = pi_M*(w_L*N_L + w_H*N_H + w_S*N_S + w_K*N_K + w_P*N_P + w_E*N_E + G_K + G_P)/BW
                                                                                    [Mcell/kg] immune signal
    VEGF_rise = s_VEGF*N_total/(CL_VEGF*BW)*mL_per_L/min_per_day           [ng/L]     rise of systemic plasma VEGF
    """


class HostProgrammes(Submodel):
    """Programmes of the host, each between 0 and 1: they outlive the cells that started them.

    `E_A` angiogenic (kidney), `E_TK` and `E_TP` trophic (kidney, pancreas), `E_M` immune and inflammatory reprogramming
    (systemic), `E_MK` the same in the kidney. Each is switched on by a saturating signal and fades at its own rate. One signal
    starts the immune programme everywhere, but how long it lasts is known apart: from trials of glucose in metabolism, from
    trials of C-peptide in autoimmunity (type 1), from trials of filtration in the kidney. `E_M30` is the 30-day mean of `E_M`, as
    HbA1c would see it.
    """

    reads = (
        "signal_A [Mcell/g]",
        "signal_TK [Mcell/g]",
        "signal_TP [Mcell/g]",
        "signal_M [Mcell/kg]",
        "T1D [1]",
        "sw_angiogenic [1]",
        "sw_trophic_K [1]",
        "sw_trophic_P [1]",
        "sw_immune [1]",
    )
    equations = """
    S_A    = signal_A/(signal_A + D50_A)                                  [1]  saturation of the angiogenic signal
    S_TK   = signal_TK/(signal_TK + D50_T)                                [1]  saturation of the renal trophic signal
    S_TP   = signal_TP/(signal_TP + D50_T)                                [1]  saturation of the pancreatic trophic signal
    S_M    = signal_M/(signal_M + D50_M)                                  [1]  saturation of the immune signal
    koff_M = koff_M_metabolic*(1 - T1D) + koff_M_autoimmune*T1D           [1/day]  fading of the immune programme
    dE_A/dt  = sw_angiogenic*kon_A*S_A*(1 - E_A) - koff_A*E_A             [1/day]
    dE_TK/dt = sw_trophic_K*kon_T*S_TK*(1 - E_TK) - koff_T*E_TK           [1/day]
    dE_TP/dt = sw_trophic_P*kon_T*S_TP*(1 - E_TP) - koff_T*E_TP           [1/day]
    dE_M/dt  = sw_immune*kon_M*S_M*(1 - E_M) - koff_M*E_M                 [1/day]
    dE_MK/dt = sw_immune*kon_M*S_M*(1 - E_MK) - koff_M_renal*E_MK         [1/day]
    dE_M30/dt = (E_M - E_M30)/tau_mean                                    [1/day]
    E_A(0)   = 0   [1]  angiogenic programme, kidney
    E_TK(0)  = 0   [1]  trophic programme, kidney
    E_TP(0)  = 0   [1]  trophic programme, pancreas
    E_M(0)   = 0   [1]  immune reprogramming of the host
    E_MK(0)  = 0   [1]  immune reprogramming of the kidney
    E_M30(0) = 0   [1]  30-day mean of the immune programme
    """

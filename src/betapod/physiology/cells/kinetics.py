"""Arrested cells: survival, release and engraftment."""

from __future__ import annotations

from ...model import Submodel


class CellKinetics(Submodel):
    """Viable undifferentiated product cells arrested in six organs.

    Cells die, or let go and pass on: what the lung releases enters the aorta, what kidney, liver and the rest release enters the
    veins, what spleen and pancreas release enters the portal vein. In kidney and pancreas a small fraction settles in niches.
    Death is raised by sensitisation and by inflammation of the host (`death_m`). Nothing divides here: viable infused stromal
    cells were never recovered in greater number than infused (Eggenhofer 2012; von Bahr 2012).
    """

    reads = (
        *(f"artery_{o} [1]" for o in "LHSKPE"),
        *(f"iv_{o} [1]" for o in "LHSKPE"),
        *(f"portal_{o} [1]" for o in "LHSKPE"),
        "death_m [1]",
        "sw_engraftment [1]",
    )
    equations = """
    to_artery = kr_L*N_L                            [Mcell/day]  released by the lung into the aorta
    to_vein   = kr_K*N_K + kr_E*N_E + kr_H*N_H      [Mcell/day]  released into the veins
    to_portal = kr_S*N_S + kr_P*N_P                 [Mcell/day]  released into the portal vein
    k_settle  = sw_engraftment*k_eng                [1/day]      settling in niches of kidney and pancreas

    dN_L/dt = to_artery*artery_L + to_vein*iv_L + to_portal*portal_L - (kd_L*death_m + kr_L)*N_L             [Mcell/day]
    dN_H/dt = to_artery*artery_H + to_vein*iv_H + to_portal*portal_H - (kd_H*death_m + kr_H)*N_H             [Mcell/day]
    dN_S/dt = to_artery*artery_S + to_vein*iv_S + to_portal*portal_S - (kd_S*death_m + kr_S)*N_S             [Mcell/day]
    dN_K/dt = to_artery*artery_K + to_vein*iv_K + to_portal*portal_K - (kd_K*death_m + kr_K + k_settle)*N_K  [Mcell/day]
    dN_P/dt = to_artery*artery_P + to_vein*iv_P + to_portal*portal_P - (kd_P*death_m + kr_P + k_settle)*N_P  [Mcell/day]
    dN_E/dt = to_artery*artery_E + to_vein*iv_E + to_portal*portal_E - (kd_E*death_m + kr_E)*N_E             [Mcell/day]
    N_L(0) = 0   [Mcell]  viable product cells in the lung
    N_H(0) = 0   [Mcell]  viable product cells in the liver
    N_S(0) = 0   [Mcell]  viable product cells in the spleen
    N_K(0) = 0   [Mcell]  viable product cells in both kidneys
    N_P(0) = 0   [Mcell]  viable product cells in the pancreas
    N_E(0) = 0   [Mcell]  viable product cells elsewhere

    N_total  = N_L + N_H + N_S + N_K + N_P + N_E    [Mcell]      viable undifferentiated product cells in the body
    deaths_N = death_m*(kd_L*N_L + kd_H*N_H + kd_S*N_S + kd_K*N_K + kd_P*N_P + kd_E*N_E)
                                                    [Mcell/day]  deaths of arrested cells
    """


class CellEngraftment(Submodel):
    """Cells settled in niches of kidney and pancreas: self-renewal up to a capacity, death, differentiation.

    Self-renewal is nil under current evidence ("hit and run": donor DNA scarce and mostly within 50 days, von Bahr 2012); the
    claims under test need several per cent per day for weeks.
    """

    reads = (
        "N_K [Mcell]",
        "N_P [Mcell]",
        "k_settle [1/day]",
        "death_m [1]",
        "sw_renewal [1]",
        "leaving_K [1/day]",
        "leaving_P [1/day]",
    )
    equations = """
    births_K = sw_renewal*rho_G*G_K*(1 - G_K/Cap_K)                            [Mcell/day]  net self-renewal in the kidney niche
    births_P = sw_renewal*rho_G*G_P*(1 - G_P/Cap_P)                            [Mcell/day]  net self-renewal in the pancreas niche
    dG_K/dt = k_settle*N_K + births_K - d_G*death_m*G_K - leaving_K*G_K        [Mcell/day]
    dG_P/dt = k_settle*N_P + births_P - d_G*death_m*G_P - leaving_P*G_P        [Mcell/day]
    G_K(0) = 0   [Mcell]  engrafted undifferentiated cells in the kidneys
    G_P(0) = 0   [Mcell]  engrafted undifferentiated cells in the pancreas
    """


class CellBalance(Submodel):
    """Bookkeeping: every infused cell is alive somewhere, or dead; every cell beyond the dose was born in a niche."""

    reads = (
        "N_total [Mcell]",
        "deaths_N [Mcell/day]",
        "G_K [Mcell]",
        "G_P [Mcell]",
        "births_K [Mcell/day]",
        "births_P [Mcell/day]",
        "death_m [1]",
        "Z_total [Mcell]",
        "deaths_Z [Mcell/day]",
    )
    equations = """
    dN_dead/dt = deaths_N + d_G*death_m*(G_K + G_P) + deaths_Z      [Mcell/day]
    N_dead(0)  = 0                                                  [Mcell]  product cells that have died
    dN_born/dt = births_K + births_P                                [Mcell/day]
    N_born(0)  = 0                                                  [Mcell]  product cells born in the body
    N_alive    = N_total + G_K + G_P + Z_total                      [Mcell]  living product cells of any fate
    N_given    = N_alive + N_dead - N_born                          [Mcell]  viable cells given so far, recovered from the balance
    """

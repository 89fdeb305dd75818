"""Immune rejection of foreign cells by the host."""

from __future__ import annotations

from ...model import Submodel


class CellImmunity(Submodel):
    """Sensitisation to foreign HLA, and what it costs the cells.

    Exposure (viable cells per kg) builds a sensitisation between 0 and 1 that wanes over months. It raises the death rate of
    undifferentiated cells and rejects differentiated ones. Inflammation of the host raises death too (natural killer cells in
    injured liver, Ma 2022; sizes are assumed). Clinical alloantibody is a chance per course, see `cell_safety`.
    """

    reads = ("N_total [Mcell]", "BW [kg]", "HLA_mm [1]", "host_inflammation [1]", "sw_sensitisation [1]")
    equations = """
    exposure  = N_total/BW                                                       [Mcell/kg]  viable cells per body weight
    dR_allo/dt = sw_sensitisation*k_sens*HLA_mm*exposure/(exposure + N50_sens)*(1 - R_allo) - k_Rloss*R_allo  [1/day]
    R_allo(0) = 0                                                                [1]         allo-sensitisation
    death_m   = 1 + kap_allo*HLA_mm*R_allo + kap_inf*host_inflammation           [1]         factor on death of product cells
    rejection = k_rej*HLA_mm*R_allo                                              [1/day]     rejection of differentiated cells
    """

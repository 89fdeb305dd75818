"""Tracer signal: labels outlive the cells that carried them."""

from __future__ import annotations

from ...model import Submodel


class CellLabel(Submodel):
    """Label on debris of dead cells, by organ, in units of cells.

    A dying cell leaves its label behind. Debris is cleared from lung, kidney, pancreas and elsewhere; liver and spleen take up
    part of what is cleared and keep it; the rest leaves the body. Dead cells of the dose carry label from the start: dose them
    into ``Y_L`` ... with the same allocation. A planar scan sees the lung attenuated by `eta_L`. Six constants were fitted to six
    numbers from four cirrhotic patients (Gholamrezanezhad 2011): a description, not a validation.
    """

    reads = (*(f"N_{o} [Mcell]" for o in "LHSKPE"), "death_m [1]", "label_dose [Mcell]")
    equations = """
    cleared = kc_L*Y_L + kc_K*Y_K + kc_P*Y_P + kc_E*Y_E                [Mcell/day]  label leaving debris
    dY_L/dt = kd_L*death_m*N_L - kc_L*Y_L                              [Mcell/day]
    dY_H/dt = kd_H*death_m*N_H + f_clear_H*cleared                     [Mcell/day]
    dY_S/dt = kd_S*death_m*N_S + f_clear_S*cleared                     [Mcell/day]
    dY_K/dt = kd_K*death_m*N_K - kc_K*Y_K                              [Mcell/day]
    dY_P/dt = kd_P*death_m*N_P - kc_P*Y_P                              [Mcell/day]
    dY_E/dt = kd_E*death_m*N_E - kc_E*Y_E                              [Mcell/day]
    dY_out/dt = (1 - f_clear_H - f_clear_S)*cleared                    [Mcell/day]
    Y_L(0) = 0     [Mcell]  label on debris in the lung
    Y_H(0) = 0     [Mcell]  label on debris in the liver
    Y_S(0) = 0     [Mcell]  label on debris in the spleen
    Y_K(0) = 0     [Mcell]  label on debris in the kidneys
    Y_P(0) = 0     [Mcell]  label on debris in the pancreas
    Y_E(0) = 0     [Mcell]  label on debris elsewhere
    Y_out(0) = 0   [Mcell]  label that has left the body
    scan_L = eta_L*(N_L + Y_L)/label_dose      [1]  lung on a planar scan, of the dose
    scan_H = (N_H + Y_H)/label_dose            [1]  liver on a planar scan, of the dose
    scan_S = (N_S + Y_S)/label_dose            [1]  spleen on a planar scan, of the dose
    """

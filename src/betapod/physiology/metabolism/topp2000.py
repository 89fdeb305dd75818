"""Glucose, insulin and beta-cell mass after Topp 2000, a published model to compare tools with; no part of the whole body."""

from __future__ import annotations

from ...model import Submodel


class Topp2000(Submodel):
    """Glucose, insulin and beta-cell mass with two stable fates: normal glucose, or loss of all beta cells (Topp 2000)."""

    equations = """
    uptake      = E_G0 + S_I*insulin                                [1/day]        glucose effectiveness with insulin
    secretion   = sigma_max*beta_mass*glucose^2/(alpha + glucose^2) [uU/mL/day]    insulin secretion
    net_growth  = r_1*glucose - r_2*glucose^2 - d_0                 [1/day]        net replication of beta cells
    dglucose/dt   = R_0 - uptake*glucose                            [mg/dL/day]    plasma glucose
    dinsulin/dt   = secretion - k_I*insulin                         [uU/mL/day]    plasma insulin
    dbeta_mass/dt = net_growth*beta_mass                            [mg/day]       beta-cell mass
    glucose(0)    = glucose_start                                   [mg/dL]        plasma glucose
    insulin(0)    = insulin_start                                   [uU/mL]        plasma insulin
    beta_mass(0)  = beta_mass_start                                 [mg]           beta-cell mass
    """

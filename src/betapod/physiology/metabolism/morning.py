"""The morning after a night's fast, in which laboratories take blood and clamps and tolerance tests begin."""

from __future__ import annotations

from ...model import Submodel


class Morning(Submodel):
    """Glucose of a fasting morning, and what else that sample finds with it.

    Purpose
        The one fasting plasma glucose: trials, virtual patients, tests and comparisons read `FPG`.
    Assumptions
        Glucose of the morning lies above the mean of the fasting half of the day, the more the worse the control (mean glucose, on the
        scale of HbA1c), up to where that ends, and the less the more insulin is injected, for its basal part is given against the
        morning. People with the same control differ (`dawn_shift`), users of insulin more. Beta cells answer within minutes, so that
        insulin and C-peptide of the sample go with this glucose.
    Provenance
        Fitted to fasting glucose by HbA1c in NHANES 1999-2016, calibration half, with and without insulin; ADAG profiles lie near
        it (wei2014). Continuous monitoring shows the rise from 3 to 5 h to 6 to 8 h (zhao2023).
    """

    reads = (
        "G_fasting [mmol/L]",
        "G [mmol/L]",
        "dawn_shift [1]",
        "insulin_dose [U/day]",
        "basal_insulin_supply [pmol/min]",
    )
    equations = """
    HbA1c_settled = HbA1c_at_zero_glucose + HbA1c_per_glucose*G       [%]            HbA1c to which today's mean glucose would lead
    dawn_excess = softplus(HbA1c_settled - dawn_from, dawn_smoothing) - softplus(HbA1c_settled - dawn_to, dawn_smoothing)
                                                                      [%]            how far that lies in the range where mornings rise
    insulin_use = hill(insulin_dose, dawn_insulin_dose, 2)            [1]            whether insulin is injected
    dawn_rise   = dawn_slope*dawn_excess*dawn_half_dose/(dawn_half_dose + insulin_dose)   [1]   rise of the logarithm of glucose by the morning
    dawn_factor = exp(dawn_rise + dawn_shift*(1 + (dawn_insulin - 1)*insulin_use))   [1]   glucose of the morning over that of the fasting phase
    FPG         = G_fasting*dawn_factor                               [mmol/L]       fasting plasma glucose
    G_morning   = FPG                                                 [mmol/L]       plasma glucose, morning
    Ra_morning  = 0                                                   [umol/kg/min]  glucose appearing from meals, morning
    insulin_supply_morning = basal_insulin_supply                     [pmol/min]     insulin from outside, morning
    """


class MorningProduction(Submodel):
    """What the dawn adds to endogenous production: as much as holds glucose of the morning where it is."""

    reads = (
        "EGP_morning [umol/kg/min]",
        "brain_glucose_uptake_morning [umol/kg/min]",
        "other_glucose_uptake_morning [umol/kg/min]",
        "GLUT4_uptake_morning [umol/kg/min]",
        "renal_glucose_morning [mmol/min]",
        "BW [kg]",
    )
    equations = """
    dawn_EGP = (brain_glucose_uptake_morning + other_glucose_uptake_morning + GLUT4_uptake_morning
               + renal_glucose_morning/BW*umol_per_mmol)/EGP_morning  [1]   factor of the morning on endogenous production
    """


class DawnDrive(Submodel):
    """Drive of endogenous production while a test or a clamp of the morning lasts."""

    reads = ("EGP_drive [1]", "dawn_EGP [1]")
    equations = """
    EGP_drive_dawn = EGP_drive*dawn_EGP     [1]   factor on endogenous glucose production, in the morning
    """

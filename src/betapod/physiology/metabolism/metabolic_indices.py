"""Clinical indices from fasting samples and a clamp (HOMA, M value ...); outputs only."""

from ...model import Submodel


class FastingIndices(Submodel):
    """HOMA indices from the sample of a fasting morning."""

    reads = ("FPG [mmol/L]", "insulin_morning [pmol/L]")
    equations = """
    HOMA_IR = FPG*insulin_morning/insulin_per_unit_assay/HOMA_IR_scale               [1]       HOMA insulin resistance
    HOMA_B  = HOMA_B_scale*insulin_morning/insulin_per_unit_assay/(FPG - HOMA_B_glucose)   [%]   HOMA beta-cell function
    """


class Clamp(Submodel):
    """A hyperinsulinaemic clamp at its end, read off the same balance with glucose held.

    M is the glucose disposed of beyond endogenous production, corrected for urinary loss as the infusion is.
    """

    reads = (
        "EGP_clamp [umol/kg/min]",
        "brain_glucose_uptake_clamp [umol/kg/min]",
        "other_glucose_uptake_clamp [umol/kg/min]",
        "GLUT4_uptake_clamp [umol/kg/min]",
        "renal_glucose_clamp [mmol/min]",
        "BW [kg]",
    )
    equations = """
    G_clamp        = clamp_G                                          [mmol/L]       glucose held in the clamp
    Ra_clamp       = 0                                                [umol/kg/min]  no meal in the clamp
    insulin_supply_clamp = clamp_insulin_rate*BW*insulin_per_unit/mU_per_U   [pmol/min]   insulin infused in the clamp
    clamp_M        = (brain_glucose_uptake_clamp + other_glucose_uptake_clamp + GLUT4_uptake_clamp
                     + renal_glucose_clamp/BW*umol_per_mmol - EGP_clamp)*glucose_molar_mass/umol_per_mmol
                                                                      [mg/kg/min]    glucose infused in the clamp, M
    clamp_EGP      = EGP_clamp*glucose_molar_mass/umol_per_mmol       [mg/kg/min]    endogenous glucose production in the clamp
    """

"""Insulin: delivery, clearance, doses and their titration; C-peptide."""

from ...model import Submodel


class InsulinClearance(Submodel):
    """Clearance of insulin from the circulation by kidneys, liver and other tissue.

    Assumptions
        Renal clearance follows filtration and falls further where renal extraction fails; the rest falls in uraemia.
    Provenance
        Sum near measured clearance in man; course of renal extraction from a study of renal uptake; shapes assumed.
    """

    reads = ("GFR [mL/min]", "uraemia_excess [1]")
    equations = """
    renal_extraction(g) = g^2/(g^2 + GFR_half_extraction^2)                         [1]      renal extraction at filtration g
    insulin_clearance = Cl_kidney*GFR/GFR_reference*renal_extraction(GFR)/renal_extraction(GFR_reference)
                        + (Cl_liver + Cl_periphery)*(1 - uraemia_clearance*uraemia_excess)   [L/min]  insulin clearance
    """


class InsulinDelivery(Submodel):
    """Insulin that reaches the circulation, and the portal increment that only the liver sees; instanced for each time scale."""

    reads = ("secretion [pmol/min]", "extra_islet_secretion [pmol/min]", "insulin_supply [pmol/min]")
    equations = """
    insulin_delivery = (1 - hepatic_extraction - hepatic_extraction_shift)*secretion + extra_islet_secretion + insulin_supply   [pmol/min]  insulin into the circulation
    portal_increment = portal_weight*secretion/hepatic_plasma_flow    [pmol/L]    weighted rise of insulin in the portal vein
    """


class RestingInsulin(Submodel):
    """Insulin where delivery equals clearance; muscle and liver have caught up. Instanced for the day's phases and the clamp."""

    reads = ("insulin_delivery [pmol/min]", "insulin_clearance [L/min]", "portal_increment [pmol/L]")
    equations = """
    insulin        = insulin_delivery/insulin_clearance   [pmol/L]  plasma insulin
    insulin_muscle = insulin                              [pmol/L]  insulin acting on muscle
    insulin_liver  = insulin + portal_increment           [pmol/L]  insulin signal in the liver
    """


class MinuteInsulin(Submodel):
    """Insulin in plasma and acting on muscle and liver, and subcutaneous boluses, in the minute layer."""

    reads = (
        "insulin_delivery [pmol/min]",
        "insulin_clearance [L/min]",
        "portal_increment [pmol/L]",
        "basal_insulin_supply [pmol/min]",
        "insulin_infusion [pmol/min]",
        "BW [kg]",
    )
    equations = """
    insulin_supply = basal_insulin_supply + insulin_infusion + SC_second/insulin_absorption_time   [pmol/min]  insulin from outside
    dinsulin/dt    = (insulin_delivery - insulin_clearance*insulin)/(V_insulin*BW)     [pmol/L/min]  plasma insulin
    insulin(0)     = receptor_insulin_reference                                        [pmol/L]      plasma insulin
    dinsulin_muscle/dt = k_muscle_insulin*(insulin - insulin_muscle)                   [pmol/L/min]  insulin acting on muscle
    insulin_muscle(0)  = receptor_insulin_reference                                    [pmol/L]      insulin acting on muscle
    dinsulin_liver/dt  = k_liver_insulin*(insulin + portal_increment - insulin_liver)  [pmol/L/min]  insulin signal in the liver
    insulin_liver(0)   = receptor_insulin_reference                                    [pmol/L]      insulin signal in the liver
    dSC_first/dt   = -SC_first/insulin_absorption_time                                 [pmol/min]    insulin under the skin, first pool
    SC_first(0)    = 0                                                                 [pmol]        insulin under the skin, first pool
    dSC_second/dt  = (SC_first - SC_second)/insulin_absorption_time                    [pmol/min]    insulin under the skin, second pool
    SC_second(0)   = 0                                                                 [pmol]        insulin under the skin, second pool
    """


class InsulinDose(Submodel):
    """The daily insulin dose and how it is spread over the day.

    Assumptions
        Dose is what is titrated plus what is prescribed as a fixed dose. The basal share runs all day, the rest with meals.
    """

    reads = ("ln_insulin_dose [1]", "insulin_prescribed [U/day]", "insulin_basal_fraction [1]")
    equations = """
    insulin_dose = insulin_dose_unit*exp(ln_insulin_dose) + insulin_prescribed          [U/day]     insulin dose
    mean_insulin_supply  = insulin_dose*insulin_bioavailability*insulin_per_unit/min_per_day   [pmol/min]  insulin absorbed, mean of the day
    basal_insulin_supply = mean_insulin_supply*insulin_basal_fraction                   [pmol/min]  insulin absorbed without meals
    """


class PhaseSupply(Submodel):
    """Insulin from outside in the phases of the day."""

    reads = ("mean_insulin_supply [pmol/min]", "basal_insulin_supply [pmol/min]", "insulin_basal_fraction [1]")
    equations = """
    insulin_supply_fasting = basal_insulin_supply     [pmol/min]  insulin from outside, fasting
    insulin_supply_fed     = basal_insulin_supply + mean_insulin_supply*(1 - insulin_basal_fraction)/fed_fraction
                                                      [pmol/min]  insulin from outside, fed
    """


class Titration(Submodel):
    """Titration of the insulin dose to a mean glucose, if it is switched on.

    Assumptions
        Doses rise above the target and are reduced below `insulin_wean_below`; between the two they stay. Where that is not below the
        target (its default) there is no such band: doses follow the target from both sides, whatever else is given. While glucose is
        held nobody titrates: a dose that cannot move glucose would rise or fall without end.
    """

    reads = (
        "G [mmol/L]",
        "insulin_titration [1]",
        "titration_target [mmol/L]",
        "titration_step_width [mmol/L]",
        "insulin_kept [1]",
        "insulin_wean_below [mmol/L]",
        "hold_glucose [1]",
    )
    equations = """
    wean_below = titration_target - softplus(titration_target - insulin_wean_below, titration_smoothing)   [mmol/L]   lower edge of the band
    titration_error = softplus(G - titration_target, titration_smoothing) - softplus(wean_below - G, titration_smoothing)
                                                                        [mmol/L]   distance from the band
    dln_insulin_dose/dt = (1 - hold_glucose)*insulin_titration*titration_rate*(tanh(titration_error/titration_step_width) + insulin_kept)   [1/day]  logarithm of the titrated dose
    ln_insulin_dose(0)  = log(insulin_dose_start/insulin_dose_unit)     [1]   logarithm of the titrated insulin dose in U/day
    """


class CPeptideKinetics(Submodel):
    """Rates and volume of C-peptide by age, body surface and filtration. Provenance: vancauter_constants; renal share assumed."""

    reads = ("age [year]", "GFR [mL/min]")
    equations = """
    CP_fast   = log(2)/CP_half_life_short                                [1/min]   fast rate
    CP_slow   = log(2)/(CP_half_life_slope*age + CP_half_life_long)      [1/min]   slow rate
    CP_k12    = CP_fraction*CP_slow + (1 - CP_fraction)*CP_fast          [1/min]   return from the periphery
    CP_k01_normal = CP_fast*CP_slow/CP_k12                               [1/min]   elimination at reference filtration
    CP_k21    = CP_fast + CP_slow - CP_k12 - CP_k01_normal               [1/min]   to the periphery
    CP_k01    = CP_k01_normal*(1 - CP_renal_fraction + CP_renal_fraction*GFR/GFR_reference)   [1/min]   elimination
    CP_V      = CP_volume_slope*BSA + CP_volume                          [L]       central volume
    """


class RestingCPeptide(Submodel):
    """C-peptide in the sample of a fasting morning."""

    reads = (
        "secretion_morning [pmol/min]",
        "extra_islet_secretion_morning [pmol/min]",
        "CP_V [L]",
        "CP_k01 [1/min]",
    )
    equations = """
    C_peptide_fasting = (secretion_morning + extra_islet_secretion_morning)/(CP_V*CP_k01)/pmol_per_nmol   [nmol/L]   fasting C-peptide
    """


class MinuteCPeptide(Submodel):
    """C-peptide of the minute layer, two compartments."""

    reads = (
        "secretion [pmol/min]",
        "extra_islet_secretion [pmol/min]",
        "CP_V [L]",
        "CP_k01 [1/min]",
        "CP_k12 [1/min]",
        "CP_k21 [1/min]",
    )
    equations = """
    dCP_plasma/dt = (secretion + extra_islet_secretion)/CP_V - (CP_k01 + CP_k21)*CP_plasma + CP_k12*CP_periphery
                                              [pmol/L/min]  C-peptide in plasma
    CP_plasma(0)  = 0                         [pmol/L]      C-peptide in plasma
    dCP_periphery/dt = CP_k21*CP_plasma - CP_k12*CP_periphery   [pmol/L/min]  C-peptide in the periphery, as plasma concentration
    CP_periphery(0)  = 0                      [pmol/L]      C-peptide in the periphery, as plasma concentration
    C_peptide     = CP_plasma/pmol_per_nmol   [nmol/L]      C-peptide in plasma
    """

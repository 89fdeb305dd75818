"""Plasma glucose: uptake, endogenous production, renal loss, and what the gut delivers."""

from ...model import Submodel


class GlucoseBalance(Submodel):
    """Fluxes into and out of plasma glucose.

    Purpose
        One balance for every time scale: the minute layer integrates it, the day layer relaxes it to rest in the fasting and in
        the fed phase, the clamp reads the infusion off it. It is instanced once for each.
    Assumptions
        Brain uptake through GLUT1 and GLUT3, a part proportional to glucose, and a part through GLUT4 that needs insulin.
        Production falls with glucose and with the hepatic insulin signal, and rises in hypoglycaemia. Glucose above a threshold
        with splay is lost in urine; an SGLT2 inhibitor leaves a fraction `phiS` of all filtered glucose unreabsorbed.
        Every term falls with glucose (or its loss rises), so the balance has exactly one root.
    Provenance
        Brain uptake, affinities: dallaman2007. Scales: tuned to clamps and tracer data in man.
    """

    reads = (
        "G [mmol/L]",
        "insulin_liver [pmol/L]",
        "GLUT4_surface [1]",
        "Ra [umol/kg/min]",
        "sH [1]",
        "EGP_drive [1]",
        "GFR [mL/min]",
        "phiS [1]",
        "a4_m [1]",
        "BW [kg]",
    )
    equations = """
    brain_glucose_uptake = uptake_brain*G/(Km_brain + G)*(Km_brain + G_reference)/G_reference   [umol/kg/min]  glucose uptake by the brain
    other_glucose_uptake = uptake_other*G                                           [umol/kg/min]  glucose uptake without insulin elsewhere
    transporter_affinity = a4*a4_m                                                  [1]            affinity between GLUT4 and glucose, relative
    GLUT4_uptake = Vmax_GLUT4*nG4*GLUT4_surface*transporter_affinity*G/(Km_GLUT4 + transporter_affinity*G)
                                                                                    [umol/kg/min]  glucose uptake through GLUT4
    EGP = EGP_drive*EGP_scale*(EGP_G_reference/G)^EGP_glucose_exponent/(1 + (sH*insulin_liver/EGP_insulin_half)^EGP_insulin_exponent)
          *(1 + counterregulation*logistic((counterregulation_G - G)/counterregulation_width))
                                                                                    [umol/kg/min]  endogenous glucose production
    renal_glucose = GFR*(phiS*G + (1 - phiS)*softplus(G - renal_threshold, renal_threshold_width))/mL_per_L
                                                                                    [mmol/min]     glucose lost in urine
    glucose_balance = (EGP + Ra - brain_glucose_uptake - other_glucose_uptake - GLUT4_uptake - renal_glucose/BW*umol_per_mmol)
                      /V_glucose/umol_per_mmol                                      [mmol/L/min]   net glucose flux
    """


class StomachEmptying(Submodel):
    """How fast the stomach can empty; drugs slow it."""

    reads = ("Ra_m [1]",)
    equations = """
    gastric_emptying_limit = gastric_emptying_max*Ra_m     [g/min]   maximal gastric emptying under drugs
    """


class Gut(Submodel):
    """A meal in the minute layer: stomach, intestine, appearance in plasma.

    Assumptions
        Emptying saturates with stomach content; absorption is of first order. An OGTT is a dose of 75 g into `Q_stomach`, a mixed
        meal one of its carbohydrate equivalents. Glucose infused into a vein joins the same flux but not the incretin effect.
    Provenance
        Bioavailability: dallaman2007. Rates: tuned to OGTT.
    """

    reads = ("BW [kg]", "gastric_emptying_limit [g/min]", "glucose_infusion [umol/kg/min]")
    equations = """
    gastric_emptying = gastric_emptying_limit*Q_stomach/(Q_stomach + gastric_half_content)   [g/min]  carbohydrate leaving the stomach
    dQ_stomach/dt  = -gastric_emptying                                      [g/min]        carbohydrate in the stomach
    Q_stomach(0)   = 0                                                      [g]            carbohydrate in the stomach
    dQ_gut/dt      = gastric_emptying - k_absorption*Q_gut                  [g/min]        carbohydrate in the intestine
    Q_gut(0)       = 0                                                      [g]            carbohydrate in the intestine
    Ra_meal        = glucose_bioavailability*k_absorption*Q_gut/glucose_molar_mass/BW*umol_per_mol
                                                                            [umol/kg/min]  glucose appearing from the meal
    Ra             = Ra_meal + glucose_infusion                             [umol/kg/min]  glucose appearing in plasma
    """


class MinuteGlucose(Submodel):
    """Plasma glucose in the minute layer."""

    reads = ("glucose_balance [mmol/L/min]",)
    equations = """
    dG/dt = glucose_balance     [mmol/L/min]   plasma glucose
    G(0)  = G_fasting_start     [mmol/L]       plasma glucose
    """


class HeldGlucose(Submodel):
    """Plasma glucose held by a clamp in the minute layer: what is infused is what the balance lacks."""

    reads = ("glucose_balance [mmol/L/min]",)
    equations = """
    G       = clamp_G     [mmol/L]          plasma glucose
    Ra      = 0           [umol/kg/min]     no meal during the clamp
    GIR     = -glucose_balance*V_glucose*glucose_molar_mass     [mg/kg/min]   glucose infused, M
    """


class PhaseGlucose(Submodel):
    """Plasma glucose at rest in one phase of the day.

    The balance is not solved but relaxed, at its own physical rate (about half an hour): a state costs one evaluation of the
    signalling chain where unrolled Newton steps would cost eight, and because the balance falls strictly with glucose it comes to
    rest at the one root from wherever it starts. The logarithm keeps glucose positive. Implicit integrators do not mind.

    Where mean glucose is held for an experiment, both phases are: whatever metabolism would make of it rests.
    """

    reads = ("glucose_balance [mmol/L/min]", "hold_glucose [1]", "glucose_held [mmol/L]")
    equations = """
    dln_G/dt = (1 - hold_glucose)*glucose_balance/G + hold_glucose*hold_rate*(log(glucose_held/glucose_unit) - ln_G)
                                     [1/min]    logarithm of plasma glucose
    G        = glucose_unit*exp(ln_G)     [mmol/L]   plasma glucose
    """


class FastingStart(Submodel):
    """Where fasting glucose starts."""

    equations = """
    ln_G_fasting(0) = log(G_fasting_start/glucose_unit)     [1]   logarithm of plasma glucose, fasting
    """


class FedStart(Submodel):
    """Where fed glucose starts."""

    equations = """
    ln_G_fed(0) = log(G_fed_start/glucose_unit)     [1]   logarithm of plasma glucose, fed
    """


class DayPhases(Submodel):
    """A day as a fasting and a fed phase, each at rest, and its means.

    Assumptions
        Meals arrive evenly over the fed part of the day. Two phases reproduce the mean of a simulated day with three meals within
        about 0.1 mmol/L from normal people to type 1 diabetes.
    """

    reads = (
        "G_fasting [mmol/L]",
        "G_fed [mmol/L]",
        "insulin_fasting [pmol/L]",
        "insulin_fed [pmol/L]",
        "renal_glucose_fasting [mmol/min]",
        "renal_glucose_fed [mmol/min]",
        "BW [kg]",
        "GFR [mL/min]",
        "intake_m [1]",
    )
    equations = """
    Ra_fasting = 0                                                          [umol/kg/min]  glucose appearing from meals, fasting
    Ra_fed     = carbohydrate_intake*intake_m*glucose_bioavailability/glucose_molar_mass/BW/fed_fraction*umol_per_mol/min_per_day
                                                                            [umol/kg/min]  glucose appearing from meals, fed
    G          = fed_fraction*G_fed + (1 - fed_fraction)*G_fasting          [mmol/L]       mean plasma glucose
    insulin    = fed_fraction*insulin_fed + (1 - fed_fraction)*insulin_fasting   [pmol/L]  mean plasma insulin
    glucose_excretion = (fed_fraction*renal_glucose_fed + (1 - fed_fraction)*renal_glucose_fasting)*glucose_molar_mass
                        *min_per_day/mmol_per_mol                           [g/day]        urinary glucose
    glucose_filtered_load = GFR*G/mL_per_L                                  [mmol/min]     filtered glucose
    """

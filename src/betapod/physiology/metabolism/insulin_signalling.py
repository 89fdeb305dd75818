"""Insulin action: receptors, signalling to GLUT4, and insulin resistance."""

from ...model import Submodel


class InsulinSignalling(Submodel):
    """From insulin at the receptor to GLUT4 at the surface, in closed form.

    Purpose
        Receptor number, receptor affinity, post-receptor coupling and GLUT4 translocation as separate, testable quantities.
    Assumptions
        With `exocytosis_exponent` 1 and `insulin_potency` 1 this is the steady state of the model of Sedaghat, Sherman and Quon
        without feedback and without receptor internalisation (it differs from the whole model by less than 2 %). Man is steeper
        than isolated fat cells: capillary recruitment and hexokinase are lumped into the exponent. Receptor number and
        post-receptor coupling enter as a product at physiological insulin and cannot be told apart from glucose and insulin alone.
    Provenance
        Constants of the chain derived from sedaghat2002. Potency and exponent: tuned to clamps in man.
    """

    reads = ("insulin_muscle [pmol/L]", "nR [1]", "nR_m [1]", "aR_m [1]", "tau4_m [1]", "sI [1]")
    equations = """
    PIP3_level(c)  = PIP3_scale/(PIP3_base + PIP3_ratio/(PIP3_basal_rate + PIP3_PI3K_rate*c))   [1]   PIP3 at PI3K activity c
    receptor_insulin = aR*aR_m*insulin_potency*insulin_muscle         [pmol/L]  insulin as the receptor feels it
    receptor_bound = nR*nR_m*receptor_insulin/(K_receptor + receptor_insulin)   [1]   bound, active receptors, relative
    IRS1_drive     = IRS1_gain*sI*receptor_bound                      [1]       drive of IRS-1 phosphorylation
    IRS1_active    = IRS1_drive/(1 + IRS1_drive)                      [1]       phosphorylated fraction of IRS-1
    PI3K_active    = PI3K_gain*IRS1_active/(1 + PI3K_saturation*IRS1_active)    [1]   active PI3K over maximal
    PIP3           = PIP3_level(PI3K_active)                          [1]       PIP3, percent of lipid
    PIP3_rise      = (PIP3 - PIP3_level(0))/PIP3_range                [1]       rise of PIP3 over its range
    insulin_effect = effector_gain*PIP3_rise/(1 + effector_saturation*PIP3_rise)   [1]   effect of Akt and PKC zeta
    exocytosis     = exocytosis_basal + exocytosis_range*tau4*tau4_m*insulin_effect^exocytosis_exponent
                                                                      [1]       exocytosis over endocytosis of GLUT4
    GLUT4_surface  = exocytosis/(1 + exocytosis) - GLUT4_surface_basal   [1]    insulin-dependent surface fraction of GLUT4
    """


class Sensitivity(Submodel):
    """What makes muscle and liver resistant: ectopic fat, inflammation, uraemia; and metformin.

    Assumptions
        Fat and inflammation add up in the denominator of post-receptor coupling in muscle; fat alone acts on the liver. Uraemia
        weakens muscle. Metformin lowers production and raises hepatic sensitivity, in part at any glucose, in part in proportion to
        hyperglycaemia: it lowers HbA1c more where that is high (Hirst 2012) and still delays failure where it is near 7 % (ADOPT).
    Provenance
        Sizes tuned to disposal in lean, obese and diabetic people; uraemia and renal production assumed.
    """

    reads = (
        "ectopic_fat [1]",
        "systemic_inflammation [1]",
        "HbA1c [%]",
        "GFR [mL/min]",
        "met [1]",
        "sI_m [1]",
        "sI_drug [1]",
        "sHd [1]",
        "sH_drug [1]",
        "xEd [1]",
    )
    equations = """
    uraemia(g)       = 1/(1 + (g/GFR_half_uraemia)^2)                     [1]   uraemia at filtration g
    uraemia_excess   = uraemia(GFR) - uraemia(GFR_reference)              [1]   uraemia beyond the reference
    metformin_effect = met*(metformin_floor + (1 - metformin_floor)*logistic((HbA1c - metformin_HbA1c)/metformin_HbA1c_width))
                                                                          [1]   metformin at this HbA1c
    sI = sIg*sIg_factor*sI_m*sI_drug*(1 + resistance_inflammation*inflammation_baseline)
         /(1 + resistance_fat*ectopic_fat + resistance_inflammation*systemic_inflammation)
         *(1 - uraemia_sensitivity*uraemia_excess)                        [1]   post-receptor coupling in muscle, relative
    sH = sHg*sHd*sH_drug*(1 + metformin_effect)/(1 + hepatic_resistance_fat*ectopic_fat)   [1]   insulin sensitivity of the liver, relative
    EGP_drive = xE*xEd*(1 - metformin_effect)*(1 - renal_EGP_fraction + renal_EGP_fraction*GFR/GFR_reference)
                                                                          [1]   factor on endogenous glucose production
    """


class ReceptorNumber(Submodel):
    """Surface insulin receptors, down-regulated by mean insulin. Size assumed; direction from long runs of sedaghat2002."""

    reads = ("insulin [pmol/L]",)
    equations = """
    dnR/dt = ((1 + receptor_insulin_reference/receptor_insulin_half)/(1 + insulin/receptor_insulin_half) - nR)/tau_receptor
                             [1/day]  surface insulin receptors, relative
    nR(0)  = nR_start        [1]      surface insulin receptors, relative
    """

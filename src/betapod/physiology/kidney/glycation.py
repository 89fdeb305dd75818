"""Glycaemic drives, glycation end products and intrarenal inflammation."""

from ...model import Submodel


class Glycation(Submodel):
    """What mean glucose does to tissue: early glycation and late cross-linked AGE.

    Purpose
        Turns glucose into the drives of all diabetic injury, and gives tissue its memory.
    Assumptions
        The excess is 0 at nominal glucose and rises from about 6 mmol/L. Early (Amadori-like) products follow within months,
        cross-links over years, so that injury outlasts hyperglycaemia. Units are those of the excess. With `sw_AGE` 0 products form as
        ever and act on nothing: what is left of diabetic injury is what glucose, pressure and angiotensin do without them.
    Provenance
        Time constants tuned; skin collagen of the DCCT (monnier1999) shows the two time scales. Glucose to HbA1c: recalled ADAG line.
    """

    reads = ("G [mmol/L]", "sw_AGE [1]")
    equations = """
    glycaemia            = softplus0(G, G_injury, w_G_injury, G0)/G_unit     [1]  glycaemic excess, 0 at nominal glucose
    glycaemia_saturating = g_saturation*glycaemia/(glycaemia + g_half)       [1]  glycaemic excess with saturation
    AGE_early(0)  = 0                                           [1]          early glycation products
    dAGE_early/dt = (glycaemia - AGE_early)/tau_AGE_early       [1/year]     formation and loss of early products
    AGE_late(0)   = 0                                           [1]          cross-linked AGE
    dAGE_late/dt  = (AGE_early - AGE_late)/tau_AGE_late         [1/year]     formation and loss of cross-links
    AGE_early_acting = sw_AGE*AGE_early                         [1]          early glycation products that act on tissue
    AGE_late_acting  = sw_AGE*AGE_late                          [1]          cross-linked AGE that acts on tissue
    HbA1c_from_G  = (G + HbA1c_offset)/HbA1c_slope              [%]          HbA1c that long exposure to this glucose would give
    """


class Inflammation(Submodel):
    """Intrarenal inflammatory and profibrotic tone.

    Purpose
        One lumped signal between injury and its slow consequences; the hook `j` of anti-inflammatory therapies acts here.
    Assumptions
        Driven by late AGE, protein overload, hypoxia and a little by present glycaemia; amplified by mineralocorticoids; lowered by
        SGLT2 inhibitors beyond their haemodynamic effect and by GLP-1 receptor agonists.
    Provenance
        Tuned; not a measured quantity.
    """

    reads = (
        "glycaemia [1]",
        "AGE_late_acting [1]",
        "albumin_load [1]",
        "hypoxia_excess [1]",
        "MR [1]",
        "inflammation_added [1]",
        "j [1]",
        "e_S [1]",
        "e_GLP1 [1]",
    )
    equations = """
    inflammation_target = (c_J_g*glycaemia + c_J_AGE*AGE_late_acting + c_J_load*albumin_load + c_J_hypoxia*hypoxia_excess
                          + inflammation_added)
                          *(1 + c_J_MR*(MR - 1))*(1 - j)*(1 - c_J_S*e_S/e_S_full)*(1 - c_J_GLP1*e_GLP1)
                                                                [1]          inflammatory tone at steady state
    inflammation(0)  = 0                                        [1]          intrarenal inflammatory and profibrotic tone
    dinflammation/dt = (inflammation_target - inflammation)/tau_J            [1/day]  rise and resolution
    """

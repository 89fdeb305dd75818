"""Renal oxygen balance and peritubular capillaries."""

from ...model import Submodel


class Oxygen(Submodel):
    """Oxygen use for sodium transport against delivery, and the answer of VEGF.

    Purpose
        Gives hypoxia, never below 0, and its excess over that of health, which drives injury and growth factor.
    Assumptions
        Oxygen use is proportional to reabsorbed sodium plus a basal part; delivery follows blood flow and capillary density. Scar
        lengthens diffusion. VEGF follows hypoxia within hours and is lost as tubules are replaced by scar.
    Provenance
        Sodium per oxygen and the basal share: recalled, not confirmed; other weights tuned.
    """

    reads = (
        "GFR [mL/min]",
        "RBF [L/min]",
        "Na_excretion [mmol/day]",
        "Na_filtered0 [mmol/min]",
        "nephrons [1]",
        "capillary_density [1]",
        "Vv_int [1]",
    )
    equations = """
    O2_use0    = Na_filtered0/Na_per_O2*(1 - N_in0/min_per_day/Na_filtered0) + O2_basal*Na_filtered0/Na_per_O2
                                                                [mmol/min]   nominal oxygen use
    O2_use     = (GFR/mL_per_L*Na_plasma - Na_excretion/min_per_day)/(Na_per_O2*nephrons) + O2_basal*Na_filtered0/Na_per_O2
                                                                [mmol/min]   oxygen use, as if all nephrons were present
    O2_delivery = RBF/RBF0/nephrons                             [1]          oxygen delivery per nephron relative to nominal
    hypoxia_index = log(O2_use/O2_use0) - log(O2_delivery) - log(capillary_density) + k_hypoxia_I*(Vv_int - Vv_int0)
                                                                [1]          logarithm of use over delivery, 0 at nominal
    hypoxia    = softplus(hypoxia_index - hypoxia_threshold, w_hypoxia)      [1]  hypoxia beyond the tissue's reserve, above 0
    hypoxia0   = softplus(-hypoxia_threshold, w_hypoxia)        [1]          the same in health: almost nothing
    hypoxia_excess = hypoxia - hypoxia0                         [1]          hypoxia relative to that of health, 0 at nominal
    VEGF       = exp(k_VEGF*hypoxia_excess - k_VEGF_scar*(Vv_int - Vv_int0))        [1]  vascular growth factor relative to nominal
    """


class PeritubularCapillaries(Submodel):
    """Peritubular capillary density: growth with VEGF, rarefaction with inflammation and fibrosis.

    Purpose
        Oxygen delivery to tubules; target of angiogenic therapies.
    Assumptions
        Logistic growth to the nominal density; regression in proportion to inflammation and to fibrosis beyond normal. Therapies add
        growth (`r_R`) and cells that arrive and fill what is missing (`r_end`). `capillaries_made` is the density less what it would
        be without the two under the same growth factor, inflammation and scar: their difference obeys an equation of its own, and is
        exactly 0 without them.
    Provenance
        Tuned; the association of rarefaction, hypoxia and falling GFR is measured, its rate is not.
    """

    reads = ("VEGF [1]", "inflammation [1]", "Vv_int [1]", "r_R [1/day]", "r_end [1/day]")
    equations = """
    capillary_density(0)  = 1                                   [1]          peritubular capillary density relative to nominal
    rarefaction           = k_rarefaction*(inflammation + c_rarefaction_I*softplus0(Vv_int, Vv_int_rarefaction, w_rarefaction, Vv_int0))
                                                                [1/year]     rate at which capillaries are lost
    dcapillary_density/dt = (k_angiogenesis*VEGF + r_R*day_per_year)*capillary_density*(1 - capillary_density)
                            + r_end*day_per_year*(1 - capillary_density) - rarefaction*capillary_density
                                                                [1/year]     angiogenesis and arrival less rarefaction
    capillaries_made(0)   = 0                                   [1]          capillaries that therapy has added, of the nominal density
    dcapillaries_made/dt  = (k_angiogenesis*VEGF*(1 - 2*capillary_density + capillaries_made) - rarefaction)*capillaries_made
                            + (r_R*capillary_density + r_end)*day_per_year*(1 - capillary_density)
                                                                [1/year]     added by therapy less their share of the loss
    """

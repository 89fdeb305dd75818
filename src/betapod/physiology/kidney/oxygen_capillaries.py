"""Renal oxygen balance and peritubular capillaries."""

from ...model import Submodel


class Oxygen(Submodel):
    """Oxygen use for sodium transport against delivery, and the answer of VEGF.

    Purpose
        Gives a hypoxia signal, 0 in health.
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
    hypoxia    = softplus0(hypoxia_index, hypoxia_threshold, w_hypoxia, 0)   [1]  hypoxia beyond the tissue's reserve
    VEGF       = exp(k_VEGF*hypoxia - k_VEGF_scar*(Vv_int - Vv_int0))        [1]  vascular growth factor relative to nominal
    """


class PeritubularCapillaries(Submodel):
    """Peritubular capillary density: growth with VEGF, rarefaction with inflammation and fibrosis.

    Purpose
        Oxygen delivery to tubules; target of angiogenic therapies.
    Assumptions
        Logistic growth to the nominal density; regression in proportion to inflammation and to fibrosis beyond normal.
    Provenance
        Tuned; the association of rarefaction, hypoxia and falling GFR is measured, its rate is not.
    """

    reads = ("VEGF [1]", "inflammation [1]", "Vv_int [1]", "r_R [1/day]")
    equations = """
    capillary_density(0)  = 1                                   [1]          peritubular capillary density relative to nominal
    dcapillary_density/dt = (k_angiogenesis*VEGF + r_R*day_per_year)*capillary_density*(1 - capillary_density)
                            - k_rarefaction*capillary_density*(inflammation
                            + c_rarefaction_I*softplus0(Vv_int, Vv_int_rarefaction, w_rarefaction, Vv_int0))
                                                                [1/year]     angiogenesis less rarefaction
    """

"""Cortical interstitium."""

from ...model import Submodel


class Interstitium(Submodel):
    """Interstitial fibrosis.

    Purpose
        Fraction of cortex that is interstitium; loss of tubules and capillaries follows it.
    Assumptions
        Driven by protein overload of the tubule, hypoxia and inflammation, more with mineralocorticoid signal, up to a bound; slow
        regression. Therapies may scale formation and regression, and mal-differentiated cells add to formation. The hook `r_I` removes
        scar; no human evidence supports it.
    Provenance
        Normal fraction recalled, not confirmed; rates tuned.
    """

    reads = (
        "albumin_load [1]",
        "hypoxia_excess [1]",
        "inflammation [1]",
        "MR [1]",
        "fib_m [1]",
        "fib_add [1]",
        "tub_m [1]",
        "r_I [1/day]",
    )
    equations = """
    Vv_int(0)  = Vv_int0                                        [1]          interstitial fraction of cortex, Vv(Int/cortex)
    dVv_int/dt = k_I*(fib_m*(c_I_load*albumin_load + c_I_hypoxia*hypoxia_excess + c_I_J*inflammation)*(1 + c_I_MR*(MR - 1)) + fib_add)*(1 - Vv_int/Vv_int_max)
                 - tub_m*(Vv_int - Vv_int0)/tau_I - r_I*day_per_year*(Vv_int - Vv_int0)
                                                                [1/year]     fibrosis less regression and removal by therapy
    """

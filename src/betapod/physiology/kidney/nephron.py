"""Nephron number: ageing, disease, nephrectomy, kidney failure."""

from ...model import Submodel


class Nephrons(Submodel):
    """Loss of nephrons as structural vulnerability times present stress.

    Purpose
        Nephron number, which all whole-kidney quantities are proportional to, and kidney failure.
    Assumptions
        Lost nephrons never return. Vulnerability is podocyte depletion (rising between 20 and 45 %), mesangial expansion and
        fibrosis; stress is pressure, inflammation and hypoxia. Without the factor of present stress no drug could slow decline within
        a trial. Ageing is an exponential factor of its own. The hazard fades when almost nothing is left. GFR below 8 mL/min ends
        the person's kidney: the simulation stops.
    Provenance
        Stages of podocyte depletion: wharram2005; functional ageing is slower than the anatomical 1.3 % per year of denic2017jasn.
        Rates and weights tuned; `c_tubule_S` is a residual effect of SGLT2 inhibitors that the modelled mechanisms do not explain.
    """

    reads = (
        "age [year]",
        "u_nx [1]",
        "podocyte_density [1]",
        "Vv_mes [1]",
        "Vv_int [1]",
        "P_GC_excess [mmHg]",
        "inflammation [1]",
        "hypoxia [1]",
        "e_S [1]",
        "GFR [mL/min]",
    )
    equations = """
    age_now            = age + t/day_per_year                   [year]       age now
    ageing             = exp(-h_N0*(age_now - age0))            [1]          nephrons left by ageing, 1 at the nominal age
    nephrons_surviving = exp(ln_nephrons)                       [1]          fraction of nephrons that disease has spared
    nephrons_present   = nephrons_surviving*u_nx                [1]          the same, less those removed
    nephrons           = nephrons_present*ageing                [1]          functioning nephrons relative to nominal
    nephron_number     = N_nephrons0*nephrons                   [1]          functioning nephrons, both kidneys

    nephron_stress     = stress0 + stress_pressure*P_GC_excess/P_GC_excess_unit + stress_J*inflammation/J_unit
                         + stress_hypoxia*hypoxia/hypoxia_unit  [1]          present stress on nephrons
    nephron_vulnerability = h_podocyte*hill(softplus(1 - podocyte_density, w_depletion), depletion_half, n_depletion)
                         + h_mes*hill(Vv_mes, Vv_mes_half, n_mes) + h_I*hill(Vv_int, Vv_int_half, n_I)
                                                                [1/year]     hazard that structure puts on nephrons
    nephron_hazard     = nephron_vulnerability*nephron_stress*(1 - c_tubule_S*e_S/e_S_full)   [1/year]  hazard of nephron loss
    ln_nephrons(0)     = 0                                      [1]          logarithm of the surviving fraction of nephrons
    dln_nephrons/dt    = -nephron_hazard*nephrons_surviving/(nephrons_surviving + nephrons_fade)   [1/year]  loss of nephrons
    """
    events = """
    kidney_failure when GFR < GFR_failure then stop "kidney failure: GFR too low for life without replacement therapy"
    """

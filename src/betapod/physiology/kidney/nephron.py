"""Nephron number: ageing, disease, nephrectomy, kidney failure."""

from ...model import Submodel


class Nephrons(Submodel):
    """Loss of nephrons as structural vulnerability times present stress.

    Purpose
        Nephron number, which all whole-kidney quantities are proportional to, and kidney failure.
    Assumptions
        Lost nephrons never return by themselves. The hook `r_N` rebuilds what disease has taken: with a share n left the flux is
        ``r_N*(1 - n)``, so that it ends where nothing is missing. A removed kidney and what ageing takes do not return, and a rebuilt
        nephron is as the others are. No human evidence supports the hook: 0 unless a claim is under test. Vulnerability is podocyte depletion (rising between 20 and 45 %), mesangial expansion and
        fibrosis; stress is pressure, inflammation and hypoxia. Without the factor of present stress no drug could slow decline within
        a trial. How fast nephrons are lost under given damage differs between people. Nephrons behind sclerosed vessels are lost
        without injury of podocytes: the path to a low GFR without albuminuria, which grows with age, glycaemia and pressure.
        What acute injury costs for good is given. Ageing is an exponential factor of its own. The hazard fades when almost nothing is left. GFR below 8 mL/min ends
        the person's kidney: the simulation stops.
    Provenance
        Stages of podocyte depletion: wharram2005; functional ageing is slower than the anatomical 1.3 % per year of denic2017jasn.
        Rates and weights tuned; `c_tubule_S` and `c_tubule_GLP1` are residual effects of SGLT2 inhibitors and GLP-1 receptor
        agonists that the modelled mechanisms do not explain.
    """

    reads = (
        "age [year]",
        "u_nx [1]",
        "podocyte_density [1]",
        "Vv_mes [1]",
        "Vv_int [1]",
        "P_GC_excess [mmHg]",
        "inflammation [1]",
        "hypoxia_excess [1]",
        "MAP [mmHg]",
        "glycaemia [1]",
        "e_S [1]",
        "e_GLP1 [1]",
        "aki_loss [1/day]",
        "r_N [1/day]",
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
                         + stress_hypoxia*hypoxia_excess/hypoxia_unit  [1]          present stress on nephrons
    nephron_vulnerability = h_podocyte*hill(softplus(1 - podocyte_density, w_depletion), depletion_half, n_depletion)
                         + h_mes*hill(Vv_mes, Vv_mes_half, n_mes) + h_I*hill(Vv_int, Vv_int_half, n_I)
                                                                [1/year]     hazard that structure puts on nephrons
    nephron_ischaemia  = h_vessel*xi_vessel*exp((age_now - age_vessel)/tau_vessel)*(1 + c_vessel_g*glycaemia
                         + c_vessel_MAP*softplus0(MAP, MAP_H, w_MAP_H, MAP_H_none))
                                                                [1/year]     hazard of nephrons behind sclerosed vessels
    nephron_hazard     = (xi_nephron*nephron_vulnerability*nephron_stress + nephron_ischaemia)
                         *(1 - c_tubule_S*e_S/e_S_full)*(1 - c_tubule_GLP1*e_GLP1)
                                                                [1/year]     hazard of nephron loss
    ln_nephrons(0)     = 0                                      [1]          logarithm of the surviving fraction of nephrons
    dln_nephrons/dt    = -nephron_hazard*nephrons_surviving/(nephrons_surviving + nephrons_fade) - aki_loss*day_per_year
                       + r_N*day_per_year*(1/nephrons_surviving - 1)         [1/year]  loss of nephrons, and rebuilding by therapy
    """
    events = """
    kidney_failure when GFR < GFR_failure then stop "kidney failure: GFR too low for life without replacement therapy"
    """

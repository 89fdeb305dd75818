"""Albumin: sieving, tubular uptake, excretion, plasma concentration."""

from ...model import Submodel


class Albuminuria(Submodel):
    """Glomerular sieving and saturable tubular uptake of albumin.

    Purpose
        Gives albumin excretion, the albumin-creatinine ratio and the load that filtered protein puts on the tubule.
    Assumptions
        Sieving rises with effacement, podocyte deficit, fenestral loss, membrane width and pressure, bounded at 0.1. Uptake along
        the tubule is plug flow with Michaelis-Menten kinetics, whose exact solution is a Lambert W; ``wright_omega`` evaluates it
        without overflow. Capacity falls with fibrosis and inflammation and with ANP, and grows with the tubule; flow shortens contact.
        Urinary creatinine for the ratio is what muscle and meat generate.
    Provenance
        Human sieving coefficient: norden2001 (contested: rat work gives eight times more). Uptake is built so that lazzara2007
        holds: fluid flow +50 % multiplies excretion four to five times, saturation at a sieving of 0.001 to 0.01. Weights tuned.
    """

    reads = (
        "P_GC_excess [mmHg]",
        "effacement [1]",
        "fenestration [1]",
        "W_GBM [nm]",
        "podocyte_deficit [1]",
        "GFR [mL/min]",
        "SNGFR_relative [1]",
        "nephrons [1]",
        "ln_ANP [1]",
        "PT_growth [1]",
        "V_G [1]",
        "glycaemia [1]",
        "Vv_int [1]",
        "inflammation [1]",
        "creatinine_generation [mg/day]",
    )
    equations = """
    bounded(s)       = s/(1 + s/sieving_max)                    [1]          sieving with its bound
    uptake(c, a)     = albumin_Km*wright_omega(log(c/albumin_Km) + c/albumin_Km - a)  [mg/L]  what is left of concentration c
    sieving_healthy  = sieving0*xi_theta                        [1]          the person's own healthy sieving, unbounded
    albumin_Bowman0  = bounded(sieving_healthy)*C_alb0*mg_per_g [mg/L]       nominal albumin in Bowman's space
    albumin_reabsorbed0 = (albumin_Bowman0 - uptake(albumin_Bowman0, uptake_capacity))*GFR0/mL_per_L*min_per_day
                                                                [mg/day]     nominal tubular uptake of albumin

    sieving_free     = sieving_healthy*(1 + b_sieving_pressure*P_GC_excess)
                       *exp(b_sieving_E*(effacement - effacement0) + b_sieving_F*(1 - fenestration/fenestration0)
                       + b_sieving_GBM*(W_GBM/W_GBM0 - 1))*(1 + b_sieving_deficit*podocyte_deficit)
                                                                [1]          sieving before its bound
    sieving          = bounded(sieving_free)                    [1]          albumin sieving coefficient
    albumin_Bowman   = sieving*C_alb*mg_per_g                   [mg/L]       albumin in Bowman's space
    uptake_potential = uptake_capacity*albumin_uptake*exp(-k_uptake_ANP*softplus0(ln_ANP, ln_ANP_uptake, w_ANP_uptake, 0))
                       *(1 + k_uptake_growth*(PT_growth + k_uptake_V_G*(V_G - 1)))/SNGFR_relative^n_uptake_flow
                                                                [1]          uptake capacity over flow
    albumin_out      = uptake(albumin_Bowman, uptake_potential) [mg/L]       albumin that escapes the tubule, per litre filtered
    UAER             = albumin_out*GFR/mL_per_L*min_per_day     [mg/day]     urinary albumin excretion rate
    albumin_filtered = albumin_Bowman*GFR/mL_per_L*min_per_day  [mg/day]     filtered albumin
    albumin_reabsorbed = (albumin_filtered - UAER)/nephrons     [mg/day]     tubular uptake, as if all nephrons were present
    albumin_load     = softplus0(log(albumin_reabsorbed/albumin_reabsorbed0), ln_load, w_load, 0)
                                                                [1]          protein overload of the tubule, 0 at nominal
    UACR             = UAER/creatinine_generation*mg_per_g      [mg/g]       urinary albumin-creatinine ratio

    albumin_uptake(0)  = 1                                      [1]          tubular capacity for albumin relative to nominal
    dalbumin_uptake/dt = (exp(-c_q_g*glycaemia - c_q_I*(Vv_int - Vv_int0) - c_q_J*inflammation) - albumin_uptake)/tau_q
                                                                [1/day]      adaptation of tubular uptake
    C_alb(0)         = C_alb0                                   [g/L]        plasma albumin
    dC_alb/dt        = (C_alb0 - C_alb)/tau_alb - softplus(UAER - UAER_loss, w_UAER_loss)/mg_per_g/V_alb
                                                                [g/L/day]    synthesis, turnover and urinary loss
    """

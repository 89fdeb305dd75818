"""The glomerulus: filtration along the capillary, basement membrane, mesangium, size."""

from ...model import Submodel


class Filtration(Submodel):
    """Glomerular filtration with the oncotic rise along the capillary.

    Purpose
        Gives filtration fraction, GFR, renal blood flow and glomerular pressure from resistances and barrier.
    Assumptions
        The mean of the oncotic pressures at both ends stands for the mean along the capillary: within 3.5 % of the exact Deen
        equation for K_f up to 12 mL/min/mmHg, poorer (8-10 %) at 20. Protein concentration rises from the afferent to the efferent
        end by what is filtered. The filtration fraction is implicit in flow and pressure; it is solved by five Newton steps from a
        fixed start, because the residual is increasing and convex for 0 < FF < 0.6, so that the steps converge for every person.
        Hydraulic permeability is three resistances in series: basement membrane, slits, endothelium.
    Provenance
        Starling forces, Landis-Pappenheimer coefficients: hallow2016. Shares of the barrier: recalled, not confirmed.
    """

    reads = (
        "MAP [mmHg]",
        "R_A [mmHg*min/L]",
        "R_E [mmHg*min/L]",
        "R_V [mmHg*min/L]",
        "nephrons [1]",
        "V_G [1]",
        "Vv_mes [1]",
        "W_GBM [nm]",
        "effacement [1]",
        "fenestration [1]",
        "Na_PT [1]",
        "Na_PT0 [1]",
        "C_alb [g/L]",
    )
    equations = """
    oncotic(c)  = a_oncotic*c + b_oncotic*c^2                   [mmHg]       oncotic pressure (Landis-Pappenheimer)
    FF0         = GFR0/mL_per_L/((1 - Hct)*RBF0)                [1]          nominal filtration fraction
    K_f0        = GFR0/(P_GC0 - P_B0 - (oncotic(C_A0) + oncotic(C_A0/(1 - FF0)))/2)
                                                                [mL/min/mmHg]  nominal ultrafiltration coefficient

    surface     = V_G^V_G_surface*exp(-k_surface_mes*(Vv_mes - Vv_mes0))     [1]  filtration surface per glomerulus, relative
    slit        = (1 - k_slit*effacement)/(1 - k_slit*effacement0)           [1]  open slit length, relative
    permeability = 1/(f_GBM*W_GBM/W_GBM0 + f_slit/slit + f_endothelium*fenestration0/fenestration)
                                                                [1]          hydraulic permeability relative to nominal
    K_f         = K_f0*nephrons*surface*permeability            [mL/min/mmHg]  ultrafiltration coefficient, both kidneys
    P_B         = P_B0 + k_P_B*(Na_PT/Na_PT0 - 1)               [mmHg]       hydrostatic pressure in Bowman's space
    C_A         = C_A0*(1 - albumin_share + albumin_share*C_alb/C_alb0)      [g/dL]  afferent plasma protein

    FF solves FF*(1 - Hct)*RBF*mL_per_L = K_f*(P_GC - P_B - (oncotic(C_A) + oncotic(C_A/(1 - FF)))/2) from FF_start in 5 steps
                                                                [1]          filtration fraction
    RBF         = (MAP - P_V)/(R_A + R_E*(1 - FF*(1 - Hct)) + R_V)           [L/min]   renal blood flow
    RPF         = (1 - Hct)*RBF                                 [L/min]      renal plasma flow
    P_GC        = MAP - RBF*R_A                                 [mmHg]       glomerular capillary pressure
    GFR         = FF*RPF*mL_per_L                               [mL/min]     glomerular filtration rate, both kidneys, per 1.73 m2
    SNGFR_relative = GFR/GFR0/nephrons                          [1]          single-nephron GFR relative to nominal
    SNGFR       = GFR/(N_nephrons0*nephrons)*nL_per_mL          [nL/min]     single-nephron GFR
    P_GC_excess = softplus0(P_GC, P_GC_injury, w_P_GC_injury, P_GC0)         [mmHg]  capillary pressure above the injurious threshold, 0 at nominal
    """


class GlomerularStructure(Submodel):
    """Basement membrane, mesangium and glomerular volume.

    Purpose
        Gives the slow structural lesion of diabetes and its regression.
    Assumptions
        Early glycation, pressure, angiotensin and inflammation deposit matrix; removal is blocked while cross-linked AGE is present,
        so lesions persist for about five years of normoglycaemia and then regress. Growth of the membrane slows as it nears a
        bound. Glomeruli grow with glycaemia and with loss of other nephrons, the latter less when the mesangium is expanded.
        Two hooks of therapies, 0 without them: `r_S` removes sclerosis from membrane and mesangium; `r_mes` is the arrival of mesangial
        cells, of which an expanded mesangium has too few for its matrix: if the normal share is ``Vv_mes0/V_mes``, what arrives raises
        that share by `r_mes` times what it lacks. No human evidence supports either.
    Provenance
        Rates tuned to biopsy series (bangstad1993, nyberg1996) and to regression after pancreas transplantation (fioretto1998).
        No published human model of these structures was found: this is the least certain part together with podocytes.
    """

    reads = (
        "AGE_early_acting [1]",
        "AGE_late_acting [1]",
        "P_GC_excess [mmHg]",
        "AT1_local [1]",
        "inflammation [1]",
        "glycaemia_saturating [1]",
        "nephrons_present [1]",
        "fib_m [1]",
        "r_S [1/day]",
        "r_mes [1/day]",
    )
    equations = """
    matrix_removal = removal_min + (1 - removal_min)/(1 + (softplus(AGE_late_acting, w_AGE_removal)/AGE_removal)^n_AGE_removal)
                                                                [1]          matrix removal, blocked by cross-linked AGE
    W_GBM(0)  = W_GBM0                                          [nm]         width of the glomerular basement membrane
    dW_GBM/dt = fib_m*k_GBM*xi^xi_exponent_GBM*AGE_early_acting*(1 + c_GBM_pressure*P_GC_excess)*(1 - (W_GBM - W_GBM0)/W_GBM_capacity)
                - (W_GBM - W_GBM0)/tau_GBM*matrix_removal - r_S*day_per_year*(W_GBM - W_GBM0)
                                                                [nm/year]    deposition less removal

    V_mes(0)  = Vv_mes0                                         [1]          mesangial volume per nominal glomerular volume
    dV_mes/dt = fib_m*k_mes*xi*(AGE_early_acting*(1 - c_mes_AT1 + c_mes_AT1*AT1_local) + c_mes_pressure*P_GC_excess + c_mes_J*inflammation)
                - (V_mes - Vv_mes0)/tau_mes*matrix_removal
                - (r_S + r_mes*V_mes/Vv_mes0)*day_per_year*(V_mes - Vv_mes0)
                                                                [1/year]     deposition less removal
    mesangial_share = Vv_mes0/V_mes                             [1]          share of the mesangium that its cells have in health
    Vv_mes    = V_mes/V_G                                       [1]          mesangial fraction of the glomerulus, Vv(Mes/glom)

    V_G_target = 1 + k_V_G_g*glycaemia_saturating + k_V_G_nephrons*(1 - nephrons_present)*exp(-k_V_G_mes*(Vv_mes - Vv_mes0))
                                                                [1]          glomerular volume at steady state
    V_G(0)    = 1                                               [1]          glomerular volume relative to nominal
    dV_G/dt   = (V_G_target - V_G)/tau_V_G                      [1/year]     growth of the glomerulus
    """

"""Sodium and glucose along the nephron: proximal tubule, loop, macula densa, collecting duct."""

from ...model import Submodel


class ProximalTubule(Submodel):
    """Proximal reabsorption of sodium and glucose, with growth and transporter up-regulation in hyperglycaemia.

    Purpose
        Gives the sodium that leaves the proximal tubule and urinary glucose; SGLT2 inhibition acts here.
    Assumptions
        Glucose and its co-transported sodium saturate smoothly at the transport capacity (splay). Sodium that enters with glucose
        competes with other proximal routes for the same load, so that only a share of its change is missing at the macula densa.
        All other proximal sodium reabsorption is a fraction of filtered load on the logit scale: shifted by tubular growth,
        angiotensin, pressure, ANP and dietary amino acids (animal protein counts more than vegetable). SGLT2 inhibitors take part of
        what growth has added (NHE3), so that hyperfiltration falls most. The sodium that leaves the tubule is a fast state
        (0.03 day) only to break the loop GFR, tubule, feedback, GFR; its logarithm is integrated.
    Provenance
        Segment fractions: hallow2016. Glucose transport maximum and its change: aljobori2017. Stoichiometry: cardiorenal_code.
        Other gains tuned to hours of high glucose, to hyperfiltration, to diet trials and to the dip of GFR under SGLT2 inhibitors.
    """

    reads = (
        "G [mmol/L]",
        "GFR [mL/min]",
        "SNGFR_relative [1]",
        "nephrons [1]",
        "AT1 [1]",
        "MAP_natriuresis [mmHg]",
        "volume_drive [1]",
        "glycaemia_saturating [1]",
        "protein_excess [g/kg/day]",
        "e_S [1]",
    )
    equations = """
    Na_filtered0 = GFR0/mL_per_L*Na_plasma                      [mmol/min]   nominal filtered sodium
    glucose_reabsorbed0 = smooth_min(GFR0/mL_per_L*G0, Tm0, splay)           [mmol/min]  nominal glucose reabsorption
    Na_SGLT0     = Na_per_glucose*glucose_reabsorbed0/Na_filtered0           [1]  nominal fraction reabsorbed with glucose
    Na_PT0       = 1 - e_PT                                     [1]          nominal fraction that leaves the proximal tubule
    e_PT_other0  = 1 - (Na_PT0 + Na_SGLT0)                      [1]          nominal proximal fraction without glucose

    glucose_filtered = GFR/mL_per_L*G                           [mmol/min]   filtered glucose
    Tm           = Tm0*nephrons*(1 + SGLT_upregulation)*(1 - e_S)*(1 - Tm_flow + Tm_flow*SNGFR_relative)
                                                                [mmol/min]   glucose transport capacity
    glucose_reabsorbed = smooth_min(glucose_filtered, Tm, splay - splay_S*e_S)     [mmol/min]  glucose reabsorption
    UGE          = (glucose_filtered - glucose_reabsorbed)/mmol_per_mol*molar_mass_glucose*min_per_day
                                                                [g/day]      urinary glucose excretion
    Na_SGLT      = Na_per_glucose*glucose_reabsorbed/(Na_filtered0*nephrons) [1]  sodium reabsorbed with glucose, per nephron
    Na_SGLT_net  = Na_SGLT0*SNGFR_relative + k_glucose_Na*(Na_SGLT - Na_SGLT0*SNGFR_relative)
                                                                [1]          the same, less what other transport gives up for it
    e_PT_other   = logistic(logit(e_PT_other0) + PT_growth*(1 - k_S_growth*e_S/e_S_full) + k_PT_AT1*log(AT1)
                   - k_PT_MAP*MAP_natriuresis - k_PT_ANP*volume_drive + k_PT_protein*protein_excess - k_PT_S*e_S)
                                                                [1]          proximal fraction without glucose

    Na_PT        = exp(ln_Na_PT)                                [1]          sodium leaving the proximal tubule, per nephron
    Na_PT_target = softplus(SNGFR_relative*(1 - e_PT_other) - Na_SGLT_net - Na_PT_floor, Na_PT_width) + Na_PT_floor
                                                                [1]          the same at steady state
    ln_Na_PT(0)  = log(Na_PT0)                                  [1]          logarithm of sodium leaving the proximal tubule
    dln_Na_PT/dt = (log(Na_PT_target) - ln_Na_PT)/tau_Na_PT     [1/day]      breaks the algebraic loop of tubule and filtration

    SGLT_upregulation(0)  = 0                                   [1]          up-regulation of glucose transport capacity
    dSGLT_upregulation/dt = (SGLT_upregulation_max*glycaemia_saturating - SGLT_upregulation)/tau_SGLT
                                                                [1/day]      adaptation of glucose transport
    PT_growth(0)  = 0                                           [1]          proximal tubular growth (logit of reabsorption)
    dPT_growth/dt = (PT_growth_max*xi_h*glycaemia_saturating - PT_growth)/tau_PT_growth
                                                                [1/day]      growth of the proximal tubule
    """


class DistalNephron(Submodel):
    """Loop of Henle, macula densa and collecting duct.

    Purpose
        Gives the macula-densa signal, which drives tubuloglomerular feedback and renin, and sodium excretion.
    Assumptions
        Loop reabsorption depends on flow; a tubule that has grown with its glomerulus resets its own reference. The nominal
        collecting-duct fraction is what balances nominal intake. Aldosterone, volume and pressure act on the collecting duct. When
        less than about half of the nominal is filtered, a smaller share is reabsorbed beyond the proximal tubule (the adaptation
        of intact nephrons), which keeps volume and pressure bounded to the end; feedback resets and does not see it.
    Provenance
        Segment fractions: hallow2016; flow dependence of the loop: cardiorenal_code; the rest tuned to the salt response. That
        fractional excretion of sodium rises as GFR falls is known; size and onset tuned to pressure and volume at low GFR.
    """

    reads = (
        "Na_PT [1]",
        "Na_PT0 [1]",
        "Na_filtered0 [mmol/min]",
        "V_G [1]",
        "MR [1]",
        "volume_drive [1]",
        "MAP_natriuresis [mmHg]",
        "nephrons [1]",
        "SNGFR_relative [1]",
    )
    equations = """
    tubule_size  = k_tubule_size*log(V_G)                       [1]          growth of the tubule with its glomerulus
    e_loop       = logistic(logit(e_loop0) - k_loop_flow*(log(Na_PT/Na_PT0) - tubule_size))  [1]  fraction reabsorbed in the loop
    Na_md        = Na_PT*(1 - e_loop)                           [1]          sodium at the macula densa, per nephron
    macula_densa = log(Na_md/(Na_PT0*(1 - e_loop0))) - tubule_size           [1]  macula-densa signal, 0 at nominal

    e_CD0        = 1 - N_in0/min_per_day/(Na_filtered0*Na_PT0*(1 - e_loop0)*(1 - e_distal))
                                                                [1]          collecting-duct fraction that balances nominal intake
    Na_adaptation = -k_Na_adaptation*softplus0(-log(nephrons*SNGFR_relative), ln_n_adaptation, w_n_adaptation, 0)
                                                                [1]          when little is filtered, a smaller share is reabsorbed
    e_loop_now   = logistic(logit(e_loop) + c_loop_adaptation*Na_adaptation)
                                                                [1]          fraction reabsorbed in the loop, adaptation included
    e_distal_now = logistic(logit(e_distal) + Na_adaptation)    [1]          fraction reabsorbed in the distal tubule
    e_CD         = logistic(logit(e_CD0) + k_CD_MR*log(MR) - k_CD_ANP*volume_drive - k_CD_MAP*MAP_natriuresis + Na_adaptation)
                                                                [1]          fraction reabsorbed in the collecting duct
    Na_excretion = nephrons*Na_filtered0*Na_PT*(1 - e_loop_now)*(1 - e_distal_now)*(1 - e_CD)*min_per_day
                                                                [mmol/day]   urinary sodium
    """


class DietaryProtein(Submodel):
    """Protein intake as animal equivalents above a reference diet.

    Purpose
        Amino acids raise proximal reabsorption and dilate the afferent arteriole; this is the dose.
    Assumptions
        Vegetable protein counts a fraction of animal protein. The reference diet is 1 g/kg/day, two thirds of it animal. Protein is
        digested and reaches the blood as amino acids and short peptides: the size of its molecules does not reach the kidney. Only
        with `digestion` below 1, which nobody has seen, would what is not digested load the kidney by its molecular mass.
    Provenance
        The weight of vegetable protein is tuned; soy in place of animal protein lowers creatinine and proteinuria in trials.
    """

    reads = ("protein_animal [g/kg/day]", "protein_vegetable [g/kg/day]")
    equations = """
    vegetable_load = vegetable_weight*(digestion + (1 - digestion)*mass_vegetable/mass_animal)
                                                                [1]          load by vegetable protein relative to animal
    protein_excess = (protein_animal + vegetable_load*protein_vegetable) - (protein_animal0 + vegetable_load*protein_vegetable0)
                                                                [g/kg/day]   protein above reference, animal equivalents
    """

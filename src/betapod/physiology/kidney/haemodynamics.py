"""Tone and resistance of the glomerular arterioles, and their hyalinosis."""

from ...model import Submodel


class Arterioles(Submodel):
    """Afferent and efferent tone: feedback, angiotensin, pressure, natriuretic peptide, diet, drugs.

    Purpose
        Gives the resistances that set renal blood flow and glomerular pressure.
    Assumptions
        Tubuloglomerular feedback acts on the afferent arteriole, angiotensin on both and more on the efferent, ANP dilates the
        afferent and constricts the efferent, SGLT2 inhibitors dilate the efferent a little. Autoregulation is impaired by hyalinosis
        and hyperglycaemia. Effects multiply; their total saturates at a factor two either way. Vessels are in parallel over
        nephrons and widen as glomeruli grow. Nominal resistances follow from nominal pressures and flows. Two hooks of therapies:
        new vessels lie in parallel to the others at every level of the bed (`perfusion_m`, 1 without them), and insulin that cells or
        grafts release dilates afferent and efferent alike (`insulin_dilatation`, 0 without them).
    Provenance
        Structure and feedback gain: hallow2016; other gains tuned to infusion, salt and drug studies.
    """

    reads = (
        "macula_densa [1]",
        "AT1 [1]",
        "MAP [mmHg]",
        "ln_ANP [1]",
        "protein_excess [g/kg/day]",
        "glycaemia [1]",
        "glycaemia_saturating [1]",
        "PT_growth [1]",
        "hyalinosis [1]",
        "nephrons [1]",
        "V_G [1]",
        "e_CCB [1]",
        "e_S [1]",
        "perfusion_m [1]",
        "insulin_dilatation [1]",
    )
    equations = """
    R_A0 = (MAP0 - P_GC0)/RBF0                                  [mmHg*min/L] nominal afferent resistance
    R_E0 = (P_GC0 - P_peritubular0)/(RBF0 - GFR0/mL_per_L)      [mmHg*min/L] nominal efferent resistance
    R_V0 = (P_peritubular0 - P_V)/RBF0                          [mmHg*min/L] nominal venous resistance

    tone_TGF  = 1 + S_TGF*(logistic(macula_densa/w_TGF) - 1/2)  [1]          tubuloglomerular feedback
    tone_AT1A = 1 + AT1_tone_max*tanh(s_AT1A*(AT1 - 1)/AT1_tone_max)         [1]  angiotensin, afferent
    tone_AT1E = 1 + AT1_tone_max*tanh(s_AT1E*(AT1 - 1)/AT1_tone_max)         [1]  angiotensin, efferent
    tone_myogenic = 1 + S_myogenic*tanh((MAP - MAP0)/w_myogenic)/(1 + k_myogenic_H*hyalinosis + k_myogenic_g*glycaemia)
                                                                [1]          myogenic autoregulation
    ln_tone_A = log(tone_TGF) + log(tone_AT1A) + log(tone_myogenic) - a_ANP_A*ln_ANP - a_protein_A*protein_excess
                - a_g_A*glycaemia_saturating*PT_growth/PT_growth_max + a_H_A*hyalinosis - a_CCB_A*e_CCB
                - insulin_dilatation
                                                                [1]          logarithm of afferent tone before saturation
    ln_tone_E = log(tone_AT1E) + a_ANP_E*ln_ANP - a_S_E*e_S/e_S_full - insulin_dilatation
                                                                [1]          logarithm of efferent tone before saturation
    ln_tone_max = log(tone_max)                                 [1]          bound of the logarithm of tone
    tone_A    = exp(ln_tone_max*tanh(ln_tone_A/ln_tone_max))    [1]          afferent tone relative to nominal
    tone_E    = exp(ln_tone_max*tanh(ln_tone_E/ln_tone_max))    [1]          efferent tone relative to nominal

    vascular_bed = nephrons*V_G^V_G_vessels*perfusion_m         [1]          conductance of the vascular bed relative to nominal
    R_A       = R_A0*tone_A/vascular_bed                        [mmHg*min/L] afferent resistance
    R_E       = R_E0*tone_E/vascular_bed                        [mmHg*min/L] efferent resistance
    R_V       = R_V0/vascular_bed                               [mmHg*min/L] venous resistance
    """


class Hyalinosis(Submodel):
    """Afferent arteriolar hyalinosis: grows over decades with glycaemia and pressure, and does not regress by itself.

    Purpose
        Raises afferent resistance and impairs autoregulation.
    Assumptions
        One lumped degree from 0 to 1; irreversible but for what a therapy is said to remove (`r_S`, 0 without one).
    Provenance
        Tuned; no source states the rate.
    """

    reads = ("glycaemia [1]", "MAP [mmHg]", "r_S [1/day]")
    equations = """
    hyalinosis(0)  = 0                                          [1]          afferent arteriolar hyalinosis
    dhyalinosis/dt = k_hyalinosis*(glycaemia + c_H_MAP*softplus0(MAP, MAP_H, w_MAP_H, MAP_H_none))*(1 - hyalinosis)
                     - r_S*day_per_year*hyalinosis              [1/year]     deposition less removal by therapy
    """

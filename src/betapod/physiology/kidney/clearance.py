"""What the blood is cleared of: filtration as measured, serum creatinine, urea nitrogen and estimated GFR."""

from ...model import Submodel


class ClearedFiltration(Submodel):
    """Filtration as measured, lowered for a time by acute kidney injury.

    Purpose
        Gives what creatinine and urea are cleared by.
    Assumptions
        An episode takes a factor off filtration, without a cause inside the glomerulus; what it costs for good is a loss of nephrons.
    Provenance
        None needed: a definition. In a person with cells, coupling.MeasuredFiltration takes its place.
    """

    reads = ("GFR [mL/min]", "aki_m [1]")
    equations = """
    GFR_measured = GFR*aki_m                                    [mL/min]     glomerular filtration rate as measured
    """


class Creatinine(Submodel):
    """Creatinine turnover and the CKD-EPI 2021 estimate of GFR.

    Purpose
        The laboratory's view of the kidney.
    Assumptions
        Generation is muscle, which nominal creatinine stands for at a filtration that is the same for everyone: few nephrons from
        birth show as high creatinine. It falls with age, from the start of the simulated stretch, and some comes with meat. A constant
        share is secreted. Very young people have less muscle and would need their own nominal creatinine. The estimate uses the exact
        published formula, which has kinks: it is an output only.
    Provenance
        Formula and coefficients: ckdepi2021. Secretion and distribution volume: recalled, not confirmed.
    """

    reads = ("GFR_measured [mL/min]", "age [year]", "age_now [year]", "female [1]", "protein_animal [g/kg/day]")
    equations = """
    creatinine_generation = S_cr0*GFR_muscle*exp(-creatinine_fall*(age_now - age))*(1 + k_creatine*(protein_animal - protein_animal0))
                 *(1 + creatinine_secretion)*min_per_day/mL_per_dL           [mg/day]  creatinine generation
    S_cr(0)    = S_cr0*GFR_muscle/GFR0                          [mg/dL]      serum creatinine
    dS_cr/dt   = (creatinine_generation - S_cr*GFR_measured*(1 + creatinine_secretion)*min_per_day/mL_per_dL)/(dL_per_L*V_creatinine)
                                                                [mg/dL/day]  generation less excretion
    eGFR_kappa = kappa_male + (kappa_female - kappa_male)*female             [mg/dL]  creatinine at the kink of the formula
    eGFR_alpha = alpha_male + (alpha_female - alpha_male)*female             [1]  exponent below the kink
    eGFR       = eGFR_scale*min(S_cr/eGFR_kappa, 1)^eGFR_alpha*max(S_cr/eGFR_kappa, 1)^eGFR_exponent
                 *eGFR_age^(age_now/one_year)*eGFR_female^female             [mL/min/1.73m2]  GFR estimated by CKD-EPI 2021
    """


class Urea(Submodel):
    """Urea nitrogen from dietary protein.

    Purpose
        Blood urea nitrogen, for diet and advanced disease.
    Assumptions
        Nitrogen balance: what is eaten, less a constant non-urea part, becomes urea; a constant fraction of filtered urea is
        excreted.
    Provenance
        Non-urea nitrogen and fractional excretion: recalled, not confirmed.
    """

    reads = ("GFR_measured [mL/min]", "protein_animal [g/kg/day]", "protein_vegetable [g/kg/day]", "BW [kg]")
    equations = """
    urea_generation = softplus((nitrogen_in_protein*(protein_animal + protein_vegetable) - nitrogen_not_urea)*BW*mg_per_g, w_urea)
                                                                [mg/day]     urea nitrogen generation
    BUN(0)   = BUN_start                                        [mg/dL]      blood urea nitrogen
    dBUN/dt  = (urea_generation - BUN*urea_excretion*GFR_measured*min_per_day/mL_per_dL)/(urea_space*BW*dL_per_L)
                                                                [mg/dL/day]  generation less excretion
    """

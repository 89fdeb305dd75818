"""Beta cells: secretion within minutes, competence within weeks, capacity within months, mass over years."""

from ...model import Submodel


class InsulinSecretion(Submodel):
    """Static insulin secretion at a glucose and a meal flux; instanced for each time scale.

    Assumptions
        A Hill curve of glucose; meals raise it through incretins, partly in proportion to first-phase competence. Extra-islet
        secretors (none by default) respond little to glucose and miss the first pass through the liver.
    Provenance
        Maximal secretion below measured maxima in man; shape tuned to fasting insulin and OGTT.
    """

    reads = (
        "G [mmol/L]",
        "Ra [umol/kg/min]",
        "beta_function [1]",
        "first_phase [1]",
        "extra_islet_insulin [1]",
        "dKs [mmol/L]",
        "pincd [1]",
    )
    equations = """
    glucose_response(g) = hill(g, secretion_G_half + dKs, secretion_exponent)    [1]  share of maximal secretion at glucose g
    incretin_effect  = 1 + incretin_gain*pincd*(incretin_basal_share + (1 - incretin_basal_share)*first_phase)
                       *Ra/(Ra + incretin_Ra_half)                                 [1]         factor of the meal on secretion
    static_secretion = beta_function*secretion_max*glucose_response(G)*incretin_effect   [pmol/min]  secretion at steady glucose
    extra_islet_secretion = extra_islet_insulin*secretion_max*((1 - extra_islet_glucose_gain)*glucose_response(G_reference)
                            + extra_islet_glucose_gain*glucose_response(G))        [pmol/min]  secretion outside islets
    """


class StaticSecretion(Submodel):
    """At rest all secretion is static; instanced for the phases of the day and the clamp."""

    reads = ("static_secretion [pmol/min]",)
    equations = """
    secretion = static_secretion     [pmol/min]   insulin secretion by islets
    """


class DynamicSecretion(Submodel):
    """First-phase secretion in the minute layer: a response to rising glucose, in proportion to competence."""

    reads = ("static_secretion [pmol/min]", "glucose_balance [mmol/L/min]", "beta_function [1]", "first_phase [1]")
    equations = """
    dynamic_part = beta_function*first_phase*dynamic_secretion*softplus(glucose_balance, dynamic_secretion_width)
                                                  [pmol/min]   secretion in response to rising glucose
    secretion    = static_secretion + dynamic_part   [pmol/min]   insulin secretion by islets
    """


class BetaFunction(Submodel):
    """All functioning beta cells, own and grafted, in normal masses.

    A graft bypasses the slow secretory capacity: its static secretion suffers no glucotoxicity here, which is optimistic.
    """

    reads = (
        "beta_mass [1]",
        "secretory_capacity [1]",
        "graft_functional [1]",
        "graft_equivalents [1]",
        "sec_m [1]",
        "sec_drug [1]",
    )
    equations = """
    beta_function = (beta_mass*secretory_capacity + graft_functional + graft_equivalents)*sec_m*sec_drug   [1]   functioning beta cells times capacity
    """


class SecretoryCapacity(Submodel):
    """Slow capacity and fast competence per beta cell.

    Assumptions
        Capacity rises to meet mean glucose above normal, falls with lasting hyperglycaemia and with ectopic fat, over months.
        First-phase and incretin competence falls within weeks of hyperglycaemia and returns.
    Provenance
        Tuned to recovery of secretion in DiRECT (zhyzhneuskaya2020); time constants near hasherman2020 and ridout2024.
    """

    reads = ("G [mmol/L]", "ectopic_fat [1]", "tox_m [1]")
    equations = """
    secretory_capacity_target = capacity_inherited*capacity_factor*(1 + capacity_compensation*logistic((G - compensation_G)/compensation_width))
        *(1 - glucotoxicity_slow*tox_m*logistic((G - glucotoxicity_slow_G)/glucotoxicity_slow_width))/(1 + lipotoxicity*ectopic_fat)
                                                                      [1]      secretory capacity aimed at
    dsecretory_capacity/dt = (secretory_capacity_target - secretory_capacity)/tau_capacity   [1/day]  secretory capacity per beta cell
    secretory_capacity(0)  = secretory_capacity_start                 [1]      secretory capacity per beta cell
    first_phase_target = (first_phase_inherited + first_phase_shift)*(1 - glucotoxicity_fast*tox_m*logistic((G - glucotoxicity_fast_G)/glucotoxicity_fast_width))
                                                                      [1]      first-phase competence aimed at
    dfirst_phase/dt = (first_phase_target - first_phase)/tau_first_phase   [1/day]  first-phase and incretin competence
    first_phase(0)  = first_phase_start                               [1]      first-phase and incretin competence
    """


class BetaCellMass(Submodel):
    """Functional and dedifferentiated beta cells over years.

    Assumptions
        Replication and apoptosis balance in health. Hyperglycaemia adds apoptosis and dedifferentiation; dedifferentiated cells
        return only near normal glucose. People prone to T2D lose cells under any therapy, each from an age of their own on. Autoimmunity
        kills in T1D, the faster the younger the person was at onset, with wide differences between people; cells and drugs prevent
        shares of it independently. Neogenesis is 0 in adults unless an input says otherwise.
    Provenance
        Rates assumed from histology in man (butler2003, cnop2010, perl2010, cinti2016); intrinsic decline
        tuned to secondary failure (UKPDS, ADOPT); autoimmune killing, its age and its spread fitted to quartiles of C-peptide by age
        and time since diagnosis in control groups of trials (dufort2019), its end to a stable C-peptide after 7 years (shields2018).
    """

    reads = (
        "G [mmol/L]",
        "autoimmunity [1]",
        "eta_X [1]",
        "eta_drug [1]",
        "kneo [1/day]",
        "kre_m [1]",
        "apo_m [1]",
        "ddm [1]",
        "prog_m [1]",
        "prog_drug [1]",
        "rep_m [1]",
        "onset_age [year]",
        "age_weighed [year]",
        "decline_age [year]",
    )
    equations = """
    decline_begun = logistic((age_weighed - decline_age)/decline_smoothing)   [1]   intrinsic decline has begun
    beta_apoptosis_rate = decline_begun*beta_decline*beta_decline_factor*prog_m*prog_drug + apo_m*(beta_apoptosis
        + glucotoxic_apoptosis*logistic((G - glucotoxic_apoptosis_G)/glucotoxic_apoptosis_width))   [1/day]  loss of beta cells
    dedifferentiation_rate = ddm*(dedifferentiation
        + glucotoxic_dedifferentiation*logistic((G - glucotoxic_dedifferentiation_G)/glucotoxic_dedifferentiation_width))
                                                                      [1/day]  dedifferentiation
    redifferentiation_rate = redifferentiation*kre_m*logistic((redifferentiation_G - G)/redifferentiation_width)
                                                                      [1/day]  redifferentiation
    onset_age_held = killing_age_from + softplus(onset_age - killing_age_from, killing_age_smoothing)
                     - softplus(onset_age - killing_age_to, killing_age_smoothing)   [year]   age at onset, held within a range
    autoimmune_killing_person = autoimmune_killing*killing_factor*exp(-killing_age*(onset_age_held - killing_age_reference))
                                                                      [1/day]  autoimmune killing at full activity
    autoimmune_rate = autoimmune_killing_person*autoimmunity*(1 - eta_X)*(1 - eta_drug)   [1/day]  autoimmune killing
    dbeta_mass/dt   = (beta_replication*rep_m - beta_apoptosis_rate - dedifferentiation_rate - autoimmune_rate)*beta_mass
                      + redifferentiation_rate*beta_dedifferentiated + kneo   [1/day]  functional beta-cell mass, normal is 1
    beta_mass(0)    = beta_mass_start                                 [1]      functional beta-cell mass, normal is 1
    dbeta_dedifferentiated/dt = dedifferentiation_rate*beta_mass
                      - (redifferentiation_rate + dedifferentiated_death + autoimmune_rate)*beta_dedifferentiated
                                                                      [1/day]  dedifferentiated beta cells
    beta_dedifferentiated(0)  = beta_dedifferentiated_start           [1]      dedifferentiated beta cells
    """


class Autoimmunity(Submodel):
    """Autoimmune activity against beta cells: 1 at the diagnosis of T1D, fading to a floor over years; 0 in other people."""

    reads = ("T1D [1]",)
    equations = """
    dautoimmunity/dt = (T1D*autoimmunity_floor - autoimmunity)/tau_autoimmunity   [1/day]  autoimmune activity
    autoimmunity(0)  = autoimmunity_start                                     [1]      autoimmune activity
    """


class OtherSecretors(Submodel):
    """Islet-cell grafts on their way to function, and insulin secretors outside islets.

    Assumptions
        A dose is a step of `graft_infused`, in normal beta-cell masses; two stages lead to function. No rejection beyond a
        constant loss. Extra-islet secretors have no source by default: no human evidence supports one.
    """

    reads = ("Esrc [1/day]",)
    equations = """
    dgraft_infused/dt    = -graft_infused/graft_transit_time                        [1/day]  graft just infused
    graft_infused(0)     = 0                                                        [1]      graft just infused
    dgraft_engrafting/dt = (graft_infused - graft_engrafting)/graft_transit_time    [1/day]  graft engrafting
    graft_engrafting(0)  = 0                                                        [1]      graft engrafting
    dgraft_functional/dt = graft_engrafting/graft_transit_time - graft_loss*graft_functional   [1/day]  functioning graft
    graft_functional(0)  = 0                                                        [1]      functioning graft
    dextra_islet_insulin/dt = Esrc - extra_islet_loss*extra_islet_insulin           [1/day]  extra-islet insulin secretors
    extra_islet_insulin(0)  = 0                                                     [1]      extra-islet insulin secretors
    """

"""Podocytes and glomerular endothelium."""

from ...model import Submodel


class Podocytes(Submodel):
    """Podocyte loss, density and effacement.

    Purpose
        Number per glomerulus (lost for good), density (number over the surface to be covered) and effacement (reversible).
    Assumptions
        Loss has the normal ageing rate times a stress that grows with AGE, local angiotensin, pressure and with density already
        lost: a loop that can run away by design. Susceptibility differs between people. Effacement follows late AGE and structure
        more than today's glucose, saturates and recovers over months; SGLT2 inhibitors and GLP-1 receptor agonists lower its
        stress. A factor on loss and repair rates are inputs for therapies; replacement of podocytes by transfused cells has no
        human evidence and its default is 0.
    Provenance
        Number and normal loss: ding2017. Density deficit matters beyond about a fifth: stages of wharram2005. Weights tuned.
    """

    reads = (
        "V_G [1]",
        "AGE_early_acting [1]",
        "AGE_late_acting [1]",
        "AT1_local [1]",
        "P_GC_excess [mmHg]",
        "glycaemia [1]",
        "inflammation [1]",
        "MR [1]",
        "e_S [1]",
        "e_GLP1 [1]",
        "pod_m [1]",
        "r_P [1/day]",
        "r_E [1/day]",
    )
    equations = """
    podocytes        = exp(ln_podocytes)                        [1]          podocytes per glomerulus
    podocyte_density = podocytes/podocytes0/cbrt(V_G)           [1]          podocyte density relative to nominal
    podocyte_deficit = softplus0(1 - podocyte_density, deficit_threshold, deficit_width, 0)
                                                                [1]          density deficit beyond what can be covered, less that of health
    ln_podocytes(0)  = log(podocytes0)                          [1]          logarithm of podocytes per glomerulus
    dln_podocytes/dt = -h_P0*pod_m*(1 + xi*(a_P_AGE*AGE_late_acting + a_P_g*AGE_early_acting*AT1_local + a_P_pressure*P_GC_excess
                       + a_P_AT1*softplus0(AT1_local, 1, w_AT1_local, 1) + a_P_deficit*podocyte_deficit))
                       + r_P*day_per_year*(podocytes0/podocytes - 1)         [1/year]  loss, and replacement by therapy

    AT1_permissive   = 1 - c_E_AT1_permissive + c_E_AT1_permissive*AT1_local [1]  angiotensin's hold on injury signals
    podocyte_stress  = (xi^xi_exponent_E*((c_E_g*glycaemia + c_E_AGE*AGE_late_acting)*AT1_local + c_E_pressure*P_GC_excess
                       + c_E_AT1*(AT1_local - 1) + c_E_J*inflammation*AT1_permissive)
                       + c_E_deficit*podocyte_deficit*AT1_permissive)*(1 + c_E_MR*(MR - 1))
                       *(1 - c_E_S*e_S/e_S_full)*(1 - c_E_GLP1*e_GLP1)
                                                                [1]          stress that effaces podocytes
    effacement(0)    = effacement0                              [1]          podocyte effacement, reversible
    deffacement/dt   = (1 - (1 - effacement0)*exp(-softplus0(podocyte_stress, 0, w_stress, 0)) - effacement)/tau_E
                       - r_E*(effacement - effacement0)         [1/day]      effacement and recovery
    """


class Endothelium(Submodel):
    """Fenestration of the glomerular endothelium.

    Purpose
        Loss of fenestrae lowers permeability to water and raises that to albumin.
    Assumptions
        Follows early glycation (saturating) and inflammation with half a year's delay; fully reversible.
    Provenance
        Normal and diabetic fenestration: weil2012; coefficients tuned to it.
    """

    reads = ("AGE_early_acting [1]", "inflammation [1]", "r_F [1/day]")
    equations = """
    fenestration(0)  = fenestration0                            [1]          fenestrated fraction of capillary surface
    dfenestration/dt = (fenestration0*exp(-c_F_g*AGE_early_acting/(1 + c_F_saturation*AGE_early_acting) - c_F_J*inflammation) - fenestration)/tau_F
                       + r_F*day_per_year*(fenestration0 - fenestration)     [1/year]  loss and recovery of fenestrae
    """

"""Extracellular volume, arterial pressure and natriuretic peptide."""

from ...model import Submodel


class VolumePressure(Submodel):
    """Sodium balance sets extracellular volume; volume, angiotensin and the set point set arterial pressure.

    Purpose
        Closes the loop intake, volume, pressure, excretion (pressure natriuresis), and gives atrial natriuretic peptide.
    Assumptions
        Plasma sodium is constant, so sodium content determines volume (no vasopressin, no water balance of its own). One equation,
        linear for a few litres and bounded beyond, stands for the chain volume, cardiac output, peripheral resistance; only chronic
        pressure matters here. Essential hypertension shifts the set point and the natriuresis curve together. ANP follows volume
        within minutes, is algebraic and bounded; what else tells the tubule of too much volume has no bound, so that it never fills
        without end.
    Provenance
        Volume and sodium of hallow2016; the gains of pressure and of ANP are tuned.
    """

    reads = (
        "N_in [mmol/day]",
        "Na_excretion [mmol/day]",
        "AT1 [1]",
        "dMAP [mmHg]",
        "e_CCB [1]",
        "ANP_factor [1]",
    )
    equations = """
    V_E(0)  = V_E0                                              [L]          extracellular volume
    dV_E/dt = (N_in - Na_excretion)/Na_plasma                   [L/day]      sodium balance at constant plasma sodium

    MAP(0)  = MAP0                                              [mmHg]       mean arterial pressure
    dMAP/dt = (MAP0 + dMAP + k_MAP_volume*dV_MAP*tanh((V_E - V_E0)/dV_MAP) + k_MAP_AT1*log(AT1) - k_MAP_CCB*e_CCB - MAP)/tau_MAP
                                                                [mmHg/day]   chronic pressure control
    MAP_natriuresis = MAP - MAP0 - dMAP                         [mmHg]       pressure that drives natriuresis

    volume_drive = ANP_gain*(V_E - V_E0)/V_E0 + log(ANP_factor) [1]          what volume and peptide tell the tubule
    ln_ANP  = volume_drive/sqrt(sqrt(1 + (volume_drive/ln_ANP_max)^4))       [1]  logarithm of relative natriuretic peptide
    ANP     = exp(ln_ANP)                                       [1]          atrial natriuretic peptide relative to nominal
    """

"""Renal capillaries, hypoxic fraction and arteriolar plugging, for cell models without the kidney."""

from __future__ import annotations

from ...model import Submodel


class MicrovascularPlugging(Submodel):
    """Acute obstruction of renal arterioles by cells delivered into them, as loss of perfusion and filtration.

    Cells are larger than arterioles: beyond `plug_free` cells in the kidney that receives them the excess costs perfusion (rat:
    10^5 cells per kidney best, 10^6 harmful). The loss is added to `plugged` at the event, `plug_gain` per excess cell, and
    recovers within weeks. It cannot exceed `plug_max`.
    """

    reads = ("sw_plugging [1]",)
    equations = """
    plug_free_one  = O50*m_K/2                              [Mcell]    cells that one kidney arrests without obstruction
    plug_gain_one  = sw_plugging*kO_harm/plug_free_one/2    [1/Mcell]  loss of both kidneys per excess cell in one
    plug_free_both = O50*m_K                                [Mcell]    the same for both kidneys
    plug_gain_both = sw_plugging*kO_harm/plug_free_both     [1/Mcell]  loss per excess cell, infusion into both renal arteries
    dplugged/dt    = -log(2)/plug_half_life*plugged         [1/day]
    plugged(0)     = 0                                      [1]        obstruction caused by arterial infusions
    plug_loss      = smooth_min(plugged, plug_max, cap_sharpness)   [1]  loss of renal perfusion and filtration by plugging
    """


class CapillariesHypoxia(Submodel):
    """Capillary density and hypoxic fraction of the kidney, reduced form.

    For models without the kidney's own oxygen balance; where that is present it takes over (see `cell_hooks`). Density follows
    logistic proliferation, raised by the angiogenic programme, against loss, raised by injury; at health it is `rho_c0`.
    The hypoxic fraction is that of blood-oxygenation imaging (R2* above 30/s); its exponent of flow comes from one
    non-randomised study of renovascular disease (Saad 2017) with all of the change attributed to flow.
    """

    reads = (
        "end_m [1]",
        "plug_loss [1]",
        "VO2_rel [1]",
        "RBF_rel [1]",
        "renal_injury [1]",
        "hyp_0 [1]",
        "sw_hypoxia [1]",
    )
    equations = """
    d_end         = loss_end*p_end                                             [1/day]  loss of renal capillaries
    rho_c0        = rho_max*(1 - loss_end)                                     [1]  capillary density at health
    proliferation_end = p_end                                                  [1/day]  proliferation of renal endothelium
    drho_c/dt     = proliferation_end*end_m*(1 - rho_c/rho_max)*rho_c - d_end*(1 + b_inj*renal_injury)*rho_c   [1/day]
    rho_c(0)      = rho_c0                                                     [1]  renal capillary density
    rho_rel       = rho_c/rho_c0                                               [1]  capillary density relative to health
    perfusion     = RBF_rel*(1 - plug_loss)                                    [1]  renal blood flow relative to baseline
    hyp_fraction  = hyp_0*VO2_rel^a_VO2*perfusion^-b_RBF*rho_rel^-b_cap        [1]  hypoxic fraction of the kidney
    hypoxic_drive = sw_hypoxia*hyp_fraction/(hyp_fraction + hyp_half)          [1]  hypoxic stimulus to secretion
    """

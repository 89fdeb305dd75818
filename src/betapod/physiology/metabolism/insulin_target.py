"""Which mean glucose people who titrate insulin aim at, and what a graft changes about it."""

from __future__ import annotations

from ...model import Submodel


class GraftedTarget(Submodel):
    """Mean glucose that titration aims at: a person's own, nearer to normal while a graft works.

    Purpose
        People with long-standing type 1 diabetes keep glucose high out of fear of hypoglycaemia. A graft stops secreting when glucose
        falls, which takes that reason away: after transplantation insulin fills what is missing to near-normal glucose. With the old
        target the graft would only replace injected insulin, and HbA1c would stay.
    Assumptions
        Centres aim at the HbA1c that defines the best outcome after transplantation, 6.5 %, by the ADAG line. Half of the way is gone
        where the graft gives the stimulated C-peptide from which it counts as working. A lower target of one's own stays, and
        without a graft, or once it has failed, the own target is bitwise what it was. Recipients are seen weekly and weaned step by
        step for as long as glucose allows, so that the steps do not shrink as the target comes near. What is left of a dose that nobody needs stays near `insulin_dose_least`,
        which counts as none, so that insulin can come back within months when a graft fails.
    Provenance
        Definition of outcomes: rickels2018. Recipients on insulin with C-peptide had an HbA1c of 6.7 % after years, 9.0 % once the
        graft was lost (islet2005): not used for the values.
    """

    reads = ("insulin_target [mmol/L]", "graft_functional [1]", "graft_equivalents [1]", "ln_insulin_dose [1]")
    equations = """
    graft_mass = graft_functional + graft_equivalents                     [1]        functioning graft, in normal beta-cell masses
    graft_protection = graft_mass^2/(graft_mass^2 + graft_mass_half^2)    [1]        share of the fear of hypoglycaemia that a graft takes away
    graft_target = (HbA1c_aim_grafted - HbA1c_at_zero_glucose)/HbA1c_per_glucose   [mmol/L]   mean glucose aimed at with a working graft
    titration_target = insulin_target - graft_protection*softplus(insulin_target - graft_target, titration_smoothing)
                                                                          [mmol/L]   mean glucose that titration aims at
    titration_step_width = titration_width - graft_protection*(titration_width - titration_width_grafted)
                                                                          [mmol/L]   distance from the target at which titration is fast
    insulin_kept = graft_protection*softplus(log(insulin_dose_least/insulin_dose_unit) - ln_insulin_dose, insulin_kept_smoothing)
                                                                          [1]        pull on the logarithm of a dose that nobody needs any more
    """

"""Glycated haemoglobin."""

from ...model import Submodel


class GlycatedHaemoglobin(Submodel):
    """HbA1c follows mean glucose on the ADAG line, scaled by the age of red cells.

    Assumptions
        A constant intercept, so HbA1c is overestimated where red cells are very young (relative age below 0.6).
    Provenance
        Line: nathan2008. Time constant from red-cell age: khera2015, ladyzynski2014, malka2016, xu2021.
    """

    reads = ("G [mmol/L]", "rRBC [1]")
    equations = """
    dHbA1c/dt = (HbA1c_at_zero_glucose + HbA1c_per_glucose*G*rRBC - HbA1c)/(tau_HbA1c*rRBC)   [%/day]  glycated haemoglobin, NGSP
    HbA1c(0)  = HbA1c_start                                                       [%]      glycated haemoglobin, NGSP
    """

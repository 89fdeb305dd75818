"""Shared constants, each with its source."""

from __future__ import annotations

#: Half-widths of intervals of 95 % and 90 % in standard errors: the 97.5 % and 95 % quantiles of the normal distribution.
Z95 = 1.959963984540054
Z90 = 1.6448536269514722

#: Julian year, as in UCUM (``a``) and `units`.
DAYS_PER_YEAR = 365.25
DAYS_PER_WEEK = 7.0
#: A twelfth of a year, as in UCUM (``mo``).
DAYS_PER_MONTH = DAYS_PER_YEAR / 12.0
MINUTES_PER_DAY = 1440.0

#: International pound and inch, exact since 1959.
KG_PER_POUND = 0.45359237
CM_PER_INCH = 2.54

#: Molar masses in g/mol from the standard atomic weights of IUPAC. Urea nitrogen is the two nitrogen atoms of urea; haemoglobin is a
#: quarter of the tetramer of 64 458, the monomer that laboratories count in mmol/L; triglycerides are counted as triolein.
MOLAR_MASS = {
    "glucose": 180.156,
    "creatinine": 113.120,
    "urea nitrogen": 28.014,
    "urea": 60.056,
    "cholesterol": 386.664,
    "triglycerides": 885.45,
    "sodium": 22.990,
    "potassium": 39.098,
    "calcium": 40.078,
    # Phosphate is counted as its phosphorus.
    "phosphorus": 30.974,
    "haemoglobin": 16114.5,
    # 31 residues, from the sequence of man, so that 1 ng/mL is 0.331 nmol/L.
    "C-peptide": 3020.3,
}

#: mg/dL of glucose that are 1 mmol/L (18.02), and umol/L of creatinine that are 1 mg/dL (88.40).
GLUCOSE_MG_DL = MOLAR_MASS["glucose"] / 10.0
CREATININE_UMOL_L = 1e4 / MOLAR_MASS["creatinine"]

#: HbA1c: NGSP (%) = slope * IFCC (mmol/mol) + intercept, the master equation (Hoelzel 2004; NGSP). Differences know the slope only.
IFCC_SLOPE, IFCC_INTERCEPT = 0.09148, 2.152

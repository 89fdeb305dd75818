"""Forecasts of risk against what became of real people: discrimination, calibration, groups of like risk."""

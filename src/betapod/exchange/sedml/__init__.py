"""Simulations of other tools: SED-ML and COMBINE archives, run with this engine."""

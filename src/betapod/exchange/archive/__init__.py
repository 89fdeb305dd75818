"""Simulations as COMBINE archives: SBML with its schedule inside, SED-ML, results, metadata."""

"""SBML, read and written."""

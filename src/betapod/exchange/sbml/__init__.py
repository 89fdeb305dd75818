"""SBML import and export."""

"""The scorecard: procedures against single published numbers."""

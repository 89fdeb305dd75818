"""The scorecard: simulated procedures against single published numbers."""

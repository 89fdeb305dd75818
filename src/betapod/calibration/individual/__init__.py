"""Fits of a user's own model to her own measurements: each person by least squares, then the group by two stages."""

"""Submodels joined to a model: ownership, names, links, building."""

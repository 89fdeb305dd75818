"""Foundations: errors, units, files, configuration, caches, random numbers."""

"""Predictive check: virtual arms of published studies against the registry of results."""

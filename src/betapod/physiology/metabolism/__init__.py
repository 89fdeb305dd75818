"""Glucose, insulin, beta cells and weight, one process a file."""

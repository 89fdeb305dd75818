"""Equation language: syntax, parser, unit checks."""

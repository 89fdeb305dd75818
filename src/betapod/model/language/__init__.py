"""Equation text: syntax, reading, units of every line."""

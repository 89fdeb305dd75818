"""Cells in the body and what they do there, one process a file."""

"""Physiology: one file per process, equations as text, every number a row of a parameter table."""

"""Calibration: what published numbers and real data say of parameters, people, visits and care."""

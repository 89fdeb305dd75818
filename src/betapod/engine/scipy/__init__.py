"""The reference engine: one patient, integrated by SciPy."""

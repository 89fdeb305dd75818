"""What is measured: each quantity once, and the formulas of clinical quantities."""

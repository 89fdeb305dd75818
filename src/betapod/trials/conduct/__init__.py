"""The conduct of a trial: candidates, screening, courses, measurement."""

"""The analysis of trial data: endpoints, estimates, survival, models."""

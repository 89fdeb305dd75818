"""The numerics: integrates models, knows nothing of medicine."""

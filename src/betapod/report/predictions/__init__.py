"""The page of predictions against published results."""

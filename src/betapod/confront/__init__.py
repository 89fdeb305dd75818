"""Model against published numbers: a virtual trial for every row of the registry that the model can simulate."""

"""Assembly of submodels: name owners, checks, linking, building."""

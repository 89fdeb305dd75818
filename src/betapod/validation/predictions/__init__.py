"""Virtual trials against the registry of published results."""

"""Pictures of sensitivities: which numbers decide, and how far an output goes over the range of each."""

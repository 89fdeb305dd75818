"""Pictures of fits of people."""

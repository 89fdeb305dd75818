"""The kidney, one process a file."""

"""Cell therapy: fate and effects of cells in the body, one process a file."""

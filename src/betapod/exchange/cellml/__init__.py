"""CellML import."""

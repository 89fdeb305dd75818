"""The ensemble engine on a graphics card: the same program, one patient for each thread."""

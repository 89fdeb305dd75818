"""What every room stands on: errors, units, files, configuration, caches, random numbers."""

"""Published studies: reading, vocabulary, units, the registry."""

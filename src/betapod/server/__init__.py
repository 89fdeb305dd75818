"""The optional server: trials, evidence, patients and models of one's own over HTTP, for the explorer and for other programs."""

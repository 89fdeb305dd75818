"""Problems of parameter estimation in the form of PEtab."""

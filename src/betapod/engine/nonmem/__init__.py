"""Event data sets in the form of NONMEM: doses, observations, resets and covariates of people, row by row."""

"""Operating characteristics: power, sample size, attribution, what a result tells."""

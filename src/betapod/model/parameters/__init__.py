"""Tables of parameters, and the values that are possible."""

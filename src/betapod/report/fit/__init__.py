"""Pictures and page of a fit: what the evidence says of the unknowns, and how well the rows are met before and after."""

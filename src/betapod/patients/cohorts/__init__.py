"""Published cohorts: baseline tables, real data, and libraries chosen to look like them."""

"""Health over a life: who gets which complication when, quality of life, and what it adds up to."""

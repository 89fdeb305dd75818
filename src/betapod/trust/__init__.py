"""Trust: how many published numbers of a kind lie inside the model's 90 % interval."""

"""Numbers derived from measurements of real people, and what the model's people give for them."""

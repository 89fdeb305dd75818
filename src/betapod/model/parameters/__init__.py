"""Parameter tables and physically possible values."""

"""The compiled engine: a program of the model, written as machine code for many patients at once."""

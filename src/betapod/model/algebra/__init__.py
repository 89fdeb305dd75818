"""Expressions: operations, functions, derivatives, evaluation."""

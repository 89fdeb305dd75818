"""Protocols: what a trial file says, and its checks."""

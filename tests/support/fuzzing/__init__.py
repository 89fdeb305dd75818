"""Broken input on purpose: files that are read are damaged, values of the command line are odd, and what betapod answers is judged."""

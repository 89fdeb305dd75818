"""The answer for one person as a page and as a printed document: frozen, with the numbers that were computed."""

"""Parts of the page that a server has for it, and where."""

from __future__ import annotations

#: Parts that a page from a server asks for when a view first needs them: three quarters of all that it holds.
LATER = ("data-claims", "data-evidence", "data-mechanism", "data-library", "data-draws", "data-numbers")
#: Where a server has them.
PARTS_PREFIX = "/parts/"

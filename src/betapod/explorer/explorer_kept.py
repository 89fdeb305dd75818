"""The page and its parts, kept in the cache: making them takes seconds, and nothing in them depends on who asks."""

from __future__ import annotations

import functools
import gzip
import html
import re
from collections.abc import Callable
from pathlib import Path

from ..base import cache
from ..base.files import write_text

#: The module that makes them, and what shapes them beside the package and the packages of every key.
_MAKER, _BESIDE = "betapod.explorer.explorer_page", ("jinja2", "pymare")


@functools.cache
def kept_page(server: bool = False, served: bool = False) -> bytes:
    """Return the page, packed by gzip: see `explorer_page.explorer_html`.

    Parameters
    ----------
    server
        Whether it has the view of a server.
    served
        Whether its later parts are asked of a server.
    """

    def build() -> bytes:
        from .explorer_page import explorer_html

        return gzip.compress(explorer_html(server, served).encode(), 9, mtime=0)

    return _kept(f"page-{server:d}{served:d}", build)


@functools.cache
def kept_part(name: str) -> bytes:
    """Return one of `explorer_parts.LATER`, packed by gzip."""

    def build() -> bytes:
        from .explorer_page import packed_part

        return packed_part(name)

    return _kept(name, build)


def _kept(name: str, build: Callable[[], bytes]) -> bytes:
    """Return an entry of the cache; made where there is none, by one process while others wait for it."""
    entry = f"explorer/{cache.key(_MAKER, [cache.version_of(package) for package in _BESIDE])}-{name}.gz"
    body = cache.read_entry(entry)
    if body is not None:
        return body
    with cache.alone("explorer/making.lock"):
        body = cache.read_entry(entry)
        if body is None:
            body = build()
            cache.write_entry(entry, body)
    return body


def page_policy(page: str) -> str:
    """Return what a browser may load for a page, as the page itself says."""
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    return html.unescape(policy[1]) if policy else "default-src 'none'"


def write_explorer(path: str | Path) -> Path:
    """Write the explorer as one HTML file, which can be opened from disk and sent to others.

    Parameters
    ----------
    path
        File to write.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    BetapodError
        It cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import betapod
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = betapod.write_explorer(Path(folder, "explorer.html"))
    ...     size = page.stat().st_size
    >>> 500_000 < size < 1_500_000
    True
    """
    return write_text(path, gzip.decompress(kept_page()).decode())

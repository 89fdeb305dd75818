"""Result cache between commands: keyed by all code and data that shape a result, verified by digest.

A key is made of the values that a result depends on and of `program`: a digest of every file of the package that the entry module
imports, wherever it does so, of the tables beside them, and of the versions of what computes. Nobody lists what shapes a result.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import logging
import os
import re
import stat
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

#: Packages whose version may change results.
PACKAGES = ("betapod", "numpy", "scipy", "pandas", "llvmlite")
_PACKAGE = Path(__file__).parents[1]
_MAGIC = b"betapod entry 1\n"
_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+(\.*[\w.]*)[ \t]+import[ \t]*(\([^)]*\)|[^\n]*)|import[ \t]+([^\n]*))", re.MULTILINE
)
_log = logging.getLogger("betapod")


def folder() -> Path:
    """Return the cache folder: ``$BETAPOD_CACHE``, else the platform's place for a user's caches. It may not exist."""
    configured = os.environ.get("BETAPOD_CACHE")
    if configured:
        return Path(configured)
    home = Path.home()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return base / "betapod"


def private(path: Path) -> bool:
    """Return whether nobody but the user, or the machine's administrator, may write into a folder; entries hold programs.

    A folder of the user's own that others may write is closed to them.
    """
    if not hasattr(os, "geteuid"):
        return True
    try:
        facts = path.stat()
        if facts.st_uid == os.geteuid() and facts.st_mode & 0o022:
            path.chmod(stat.S_IMODE(facts.st_mode) & ~0o022)
            facts = path.stat()
    except OSError:
        return False
    return facts.st_uid in (0, os.geteuid()) and not facts.st_mode & 0o022


def _of_user(path: Path) -> bool:
    """Return whether a file was written by the user, or by the machine's administrator, and by nobody else."""
    if not hasattr(os, "geteuid"):
        return True
    facts = path.stat()
    return facts.st_uid in (0, os.geteuid()) and not facts.st_mode & 0o022


@functools.cache
def _trusted(path: Path) -> bool:
    if private(path):
        return True
    _log.warning(
        "The cache %s belongs to somebody else, or others may write into it: it is not used. "
        "Set BETAPOD_CACHE to a folder of your own.",
        path,
    )
    return False


# -- entries ---------------------------------------------------------------------------------------------------------


def read_entry(name: str, cache_folder: Path | None = None) -> bytes | None:
    """Return the content of an entry, or None if there is none that can be trusted; a damaged one is removed.

    Parameters
    ----------
    name
        Name of its file, with folders within the cache.
    cache_folder
        Folder to look in instead of the cache.
    """
    try:
        root = folder() if cache_folder is None else cache_folder
        path = root / name
        content = path.read_bytes()
        # Others may have left something while the folder was open to them.
        if cache_folder is None and not (_trusted(root) and _of_user(path)):
            return None
    except (OSError, RuntimeError):
        return None
    digest, _, body = content.removeprefix(_MAGIC).partition(b"\n")
    if content.startswith(_MAGIC) and hashlib.sha256(body).hexdigest().encode() == digest:
        return body
    damaged(path)
    return None


def damaged(path: Path) -> None:
    """Remove an entry that cannot be used, and say so."""
    _log.warning("%s was damaged; its content is computed again.", path)
    with contextlib.suppress(OSError):
        path.unlink()


def write_entry(name: str, body: bytes, cache_folder: Path | None = None) -> bool:
    """Keep an entry, whole or not at all; return whether that was possible. A folder that cannot be written is no error."""
    content = _MAGIC + hashlib.sha256(body).hexdigest().encode() + b"\n" + body
    temporary = ""
    try:
        root = folder() if cache_folder is None else cache_folder
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        if cache_folder is None and not _trusted(root):
            return False
        path = root / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=".new-", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except (OSError, RuntimeError):
        if temporary:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
        return False
    return True


@contextlib.contextmanager
def alone(name: str, patience: float = 60.0) -> Iterator[None]:
    """Do what follows while no other process or thread does what has the same name; the others wait.

    Parameters
    ----------
    name
        Of a file within the cache folder, which stays behind empty.
    patience
        Seconds to wait: the process that holds it may have been stopped. Where files cannot be locked, nobody waits.
    """
    with contextlib.ExitStack() as held:
        with contextlib.suppress(ImportError, OSError, RuntimeError):
            _lock(held, folder(), name, time.monotonic() + patience)
        yield


def _lock(held: contextlib.ExitStack, root: Path, name: str, until: float) -> None:
    import fcntl

    (root / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _trusted(root):
        return
    file = held.enter_context((root / name).open("ab"))
    while time.monotonic() < until:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.02)


# -- keys ------------------------------------------------------------------------------------------------------------


def key(module: str, *parts: Any) -> str:
    """Return the name of a result: a digest of the program behind a module and of plain values.

    Parameters
    ----------
    module
        The module that computes the result, such as ``betapod.trials.conduct.pool_build``.
    parts
        Whatever else shaped it, as JSON holds it; content of files as `content_digest`, arrays as their digests.
    """
    text = json.dumps([program(module), *parts], sort_keys=True, default=repr)
    return hashlib.sha256(text.encode(errors="backslashreplace")).hexdigest()[:32]


@functools.cache
def program(module: str) -> str:
    """Return a digest of everything in the package that the results of a module may depend on."""
    digest = hashlib.sha256(json.dumps([version_of(name) for name in PACKAGES]).encode())
    files = closure(module)
    for path in (*files, *data_files(files)):
        digest.update(f"{path.relative_to(_PACKAGE)}:{content_digest(path)}\n".encode())
    return digest.hexdigest()


def content_digest(path: Path) -> str:
    """Return the SHA-256 of a file, or of all files in a folder; read again only if the file was touched since."""
    if path.is_dir():
        inner = sorted(entry for entry in path.rglob("*") if entry.is_file())
        return hashlib.sha256(
            "".join(f"{p.relative_to(path)}:{content_digest(p)}\n" for p in inner).encode()
        ).hexdigest()
    facts = path.stat()
    return _content(path, facts.st_ino, facts.st_size, facts.st_mtime_ns)


@functools.lru_cache(maxsize=4096)
def _content(path: Path, *_: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def closure(module: str) -> tuple[Path, ...]:
    """Return the files of the package that a module imports, itself included: transitively, and also inside functions."""
    files: dict[Path, None] = {}
    waiting = [path for path in (_file(module.split(".")[1:]),) if path is not None]
    while waiting:
        path = waiting.pop()
        if path in files:
            continue
        files[path] = None
        if path != _PACKAGE / "__init__.py":  # it imports when a name is used, and who uses one is found there
            waiting += imports(path)
        # Importing a module imports the packages around it.
        waiting += [folder / "__init__.py" for folder in path.parents if folder.is_relative_to(_PACKAGE)]
    return tuple(sorted(path for path in files if path.is_file()))


def data_files(files: Iterable[Path]) -> tuple[Path, ...]:
    """Return the files beside some files of the package, and below, that are no code: what their modules may read."""
    rooms = {path.parent for path in files} - {_PACKAGE}
    # What Python keeps of code, or is about to write, is none either.
    candidates = {path for room in rooms for path in room.rglob("*") if "__pycache__" not in path.parts}
    return tuple(sorted(path for path in candidates if path.suffix not in (".py", ".pyc") and path.is_file()))


def imports(path: Path) -> list[Path]:
    """Return the files of the package that one file imports, wherever in it; a line of text that looks like an import counts."""
    here = ["betapod", *path.relative_to(_PACKAGE).parts[:-1]]
    facts = path.stat()
    statements, finds = _statements(path, facts.st_ino, facts.st_size, facts.st_mtime_ns)
    # Modules that a room finds by name while the program runs are beside the file that does so, or below.
    by_name = path.parent != _PACKAGE and finds
    imported = sorted(path.parent.rglob("*.py")) if by_name else []
    for stem, names, plain in statements:
        if plain:
            targets = [clause.split()[0].split(".") for clause in plain.split(",") if clause.split()]
        else:
            dots = len(stem) - len(stem.lstrip("."))
            base = here[: len(here) - dots + 1] if dots else []
            base = [*base, *(part for part in stem.lstrip(".").split(".") if part)]
            inner = re.sub(r"#[^\n]*", "", names).strip("() \t\n")
            targets = [[*base, clause.split()[0]] for clause in inner.split(",") if clause.split()]
        for target in targets:
            if target[0] == "betapod":
                imported += [
                    module_file for module_file in (_file(target[1:]), _file(target[1:-1])) if module_file is not None
                ]
    return imported


@functools.lru_cache(maxsize=4096)
def _statements(path: Path, *_: int) -> tuple[list[tuple[str, str, str]], bool]:
    """Return what a file imports, as it is written, and whether it finds modules by name; read again only if it was touched."""
    text = path.read_text(encoding="utf-8")
    return _IMPORT.findall(text), "import_module(" in text


def _file(parts: list[str]) -> Path | None:
    """Return the file of a module of the package; None if there is none of that name."""
    path = _PACKAGE.joinpath(*parts)
    for candidate in (path.with_suffix(".py") if parts else path / "__init__.py", path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


@functools.cache
def version_of(package: str) -> str:
    """Return the version of a package; of one that is not there, that it is not."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"

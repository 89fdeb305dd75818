"""Files of a simulation: a COMBINE archive, opened in memory with limits, or a folder with a SED-ML file."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from ...base.errors import ExchangeError, Location, Problem, did_you_mean
from ...base.files import file_content
from ...base.nouns import with_noun
from .xml_document import local_name, read_xml

#: Bytes of a file, and of all files of an archive, unpacked; files in an archive; how many times as large as its packed form a file may be.
_LARGEST, _ALL, _MOST_FILES, _SWELLS = 128 * 2**20, 512 * 2**20, 10_000, 500
#: Files smaller than this may swell as they like.
_SMALL = 2**20

Fetch = Callable[[str, Location], tuple[bytes, str]]


@dataclass(frozen=True)
class SedmlFile:
    """A SED-ML file with the way to what it names.

    Attributes
    ----------
    name
        Within its archive, or the file's own.
    fetch
        Gives the bytes of a source and its name for messages, by the source and the place that names it.
    """

    name: str
    content: bytes
    fetch: Fetch


def sedml_files(path: Path) -> list[SedmlFile]:
    """Return the SED-ML files of an archive, those that it begins with if it names such, or a file itself.

    Parameters
    ----------
    path
        A file with SED-ML, or an archive.

    Raises
    ------
    ExchangeError
        No such file; an archive that is damaged, too large, or reaches out of itself; no SED-ML in it.
    """
    head = file_content(path, _LARGEST)[:4]
    if head.startswith(b"PK"):
        return _Archive(path).simulations()
    return [SedmlFile(path.name, file_content(path, _LARGEST), _from_folder(path))]


class _Archive:
    def __init__(self, path: Path) -> None:
        self.file = str(path)
        try:
            self.zip = zipfile.ZipFile(path)
            entries = [entry for entry in self.zip.infolist() if not entry.is_dir()]
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
            raise ExchangeError(Problem("bad-archive", "the archive is damaged", Location(self.file))) from None
        self.entries = {entry.filename: entry for entry in entries}
        problems = [p for entry in entries if (p := self._unsafe(entry))]
        if len(entries) > _MOST_FILES or sum(entry.file_size for entry in entries) > _ALL:
            present = f"{with_noun(len(entries), 'file')}, {sum(entry.file_size for entry in entries) / 2**20:,.0f} MiB"
            expected = f"at most {_MOST_FILES:,} files and {_ALL // 2**20:,} MiB"
            problems.append(Problem("too-large", "the archive is too large", Location(self.file), present, expected))
        if problems:
            raise ExchangeError(problems)

    def _unsafe(self, entry: zipfile.ZipInfo) -> Problem | None:
        name, location = entry.filename, Location(self.file)
        parts = name.replace("\\", "/").split("/")
        if name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]:
            return Problem("unsafe-archive", "a file of the archive lies outside it", location, name)
        if entry.flag_bits & 1:
            return Problem("unsupported", f"{name} is encrypted", location)
        swollen = entry.file_size > max(_SMALL, _SWELLS * entry.compress_size)
        if entry.file_size > _LARGEST or swollen:
            present = f"{name}: {entry.file_size:,} bytes out of {entry.compress_size:,}"
            expected = f"at most {_LARGEST // 2**20} MiB, and {_SWELLS} times the packed size"
            return Problem("too-large", "a file of the archive is too large", location, present, expected)
        return None

    def read(self, name: str) -> bytes:
        try:
            with self.zip.open(self.entries[name]) as stream:
                # No more than was announced, whatever the packed bytes unfold to.
                return stream.read(self.entries[name].file_size)
        except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, ValueError):
            message = f"{name} cannot be unpacked"
            raise ExchangeError(Problem("bad-archive", message, Location(self.file))) from None

    def simulations(self) -> list[SedmlFile]:
        listed = self._listed()
        masters = [name for name, is_master in listed.items() if is_master]
        names = masters or list(listed) or sorted(n for n in self.entries if n.lower().endswith(".sedml"))
        if not names:
            present = ", ".join(sorted(self.entries)[:10]) or "no files"
            message = "the archive holds no SED-ML, so it does not say what is to be simulated"
            hint = "Models alone: betapod simulate MODEL.xml."
            raise ExchangeError(Problem("no-sedml", message, Location(self.file), present, hint=hint))
        return [SedmlFile(name, self.read(name), self._fetch_beside(name)) for name in names]

    def _listed(self) -> dict[str, bool]:
        """Return the SED-ML files that the manifest names, and whether each is a master."""
        if "manifest.xml" not in self.entries:
            return {}
        listed: dict[str, bool] = {}
        manifest = read_xml(self.read("manifest.xml"), f"{self.file}: manifest.xml")
        for content in manifest.root:
            form = content.get("format", "").lower()
            if local_name(content) != "content" or not ("sed-ml" in form or "sedml" in form):
                continue
            name = posixpath.normpath(content.get("location", "").lstrip("/"))
            if name in self.entries:
                listed[name] = content.get("master", "false").lower() in ("true", "1")
        return listed

    def _fetch_beside(self, name: str) -> Fetch:
        def fetch(source: str, location: Location) -> tuple[bytes, str]:
            relative = _local(source, location)
            wanted = posixpath.normpath(posixpath.join(posixpath.dirname(name), relative))
            at_root = posixpath.normpath(relative.lstrip("/"))
            if wanted not in self.entries and at_root in self.entries:
                wanted = at_root
            if wanted.startswith(".."):
                message = "the model lies outside the archive"
                raise ExchangeError(Problem("unsafe-path", message, location, source, "a file of the archive"))
            if wanted not in self.entries:
                hint = did_you_mean(wanted, self.entries)
                raise ExchangeError(Problem("no-file", "the archive has no such file", location, source, hint=hint))
            return self.read(wanted), f"{self.file}: {wanted}"

        return fetch


def _from_folder(path: Path) -> Fetch:
    folder = path.resolve().parent

    def fetch(source: str, location: Location) -> tuple[bytes, str]:
        wanted, here = (folder / _local(source, location)).resolve(), Path.cwd()
        # Where somebody works is theirs too, unless that is the root of everything.
        allowed = [folder, *([here] if here != Path(here.anchor) else [])]
        if not any(wanted.is_relative_to(location) for location in allowed):
            message = "only files below the folder of the SED-ML file, or below where you are, are opened"
            hint = "Put the model beside the SED-ML file, or run this from the folder that holds both."
            raise ExchangeError(Problem("unsafe-path", message, location, source, hint=hint))
        if not wanted.is_file():
            message, hint = "there is no such file beside the SED-ML file", "Put the model there."
            raise ExchangeError(Problem("no-file", message, location, source, hint=hint))
        return file_content(wanted, _LARGEST), str(wanted)

    return fetch


def _local(source: str, location: Location) -> str:
    """Return a source as a relative path.

    Raises
    ------
    ExchangeError
        It is to be fetched from elsewhere.
    """
    scheme = source.partition(":")[0].lower() if ":" in source else ""
    if scheme == "file":
        return unquote(source.partition(":")[2].lstrip("/"))
    if scheme:
        message = "the model is to be fetched from elsewhere, and nothing is fetched here"
        hint = "Save the model beside the SED-ML file, and name that file as its source."
        raise ExchangeError(Problem("remote-source", message, location, source, "a file", hint))
    return unquote(source)

"""COMBINE archives (OMEX): a zip file with a manifest and metadata; the same content gives the same bytes."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_MANIFEST = "http://identifiers.org/combine.specifications/omex-manifest"
#: Formats by their short names.
FORMATS = {
    "omex": "http://identifiers.org/combine.specifications/omex",
    "manifest": _MANIFEST,
    "metadata": "http://identifiers.org/combine.specifications/omex-metadata",
    "sbml": "http://identifiers.org/combine.specifications/sbml.level-3.version-2",
    # Without level and version: COPASI knows none of version 4.
    "sedml": "http://identifiers.org/combine.specifications/sed-ml",
    "csv": "http://purl.org/NET/mediatypes/text/csv",
    "text": "http://purl.org/NET/mediatypes/text/plain",
}
_RDF, _DC = "http://www.w3.org/1999/02/22-rdf-syntax-ns#", "http://purl.org/dc/elements/1.1/"
_MODEL_QUALIFIERS = "http://biomodels.net/model-qualifiers/"
#: Date of every file inside: that of the content is nobody's business, and would change the bytes.
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class ArchiveFile:
    """One file of an archive.

    Attributes
    ----------
    kind
        Of `FORMATS`.
    master
        Whether a tool that opens the archive begins with it.
    """

    name: str
    kind: str
    text: str
    master: bool = False


def omex_bytes(files: Sequence[ArchiveFile], title: str, works: Sequence[str] = ()) -> bytes:
    """Return an archive.

    Parameters
    ----------
    title
        What the archive is.
    works
        Addresses of works that describe the model.

    Examples
    --------
    >>> from betapod.exchange.archive.omex import ArchiveFile, omex_bytes
    >>> made = omex_bytes([ArchiveFile("README.txt", "text", "Nothing.")], "An example")
    >>> made == omex_bytes([ArchiveFile("README.txt", "text", "Nothing.")], "An example")
    True
    """
    contents = [*files, ArchiveFile("metadata.rdf", "metadata", _metadata(title, works))]
    texts = {"manifest.xml": _manifest(contents), **{file.name: file.text for file in contents}}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(texts, key=lambda name: (name != "manifest.xml", name)):
            entry = zipfile.ZipInfo(name, _LONG_AGO)
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            archive.writestr(entry, texts[name].encode())
    return stream.getvalue()


def _document(root: ET.Element) -> str:
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _manifest(files: Sequence[ArchiveFile]) -> str:
    root = ET.Element("omexManifest", {"xmlns": _MANIFEST})
    ET.SubElement(root, "content", {"location": ".", "format": FORMATS["omex"]})
    ET.SubElement(root, "content", {"location": "./manifest.xml", "format": FORMATS["manifest"]})
    for file in sorted(files, key=lambda file: file.name):
        entry: Mapping[str, str] = {"location": f"./{file.name}", "format": FORMATS[file.kind]}
        ET.SubElement(root, "content", {**entry, **({"master": "true"} if file.master else {})})
    return _document(root)


def _metadata(title: str, works: Sequence[str]) -> str:
    root = ET.Element("rdf:RDF", {"xmlns:rdf": _RDF, "xmlns:dc": _DC, "xmlns:bqmodel": _MODEL_QUALIFIERS})
    about = ET.SubElement(root, "rdf:Description", {"rdf:about": "."})
    ET.SubElement(about, "dc:title").text = title
    for work in works:
        ET.SubElement(about, "bqmodel:isDescribedBy", {"rdf:resource": work})
    return _document(root)

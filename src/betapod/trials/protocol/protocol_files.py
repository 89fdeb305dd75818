"""Read trial protocols by name, from files, packages or text, with every error at its line."""

from __future__ import annotations

from pathlib import Path

from ...base import arguments, plugins
from ...base.config import Document, check_document, parse_yaml, read_yaml
from ...base.errors import ConfigError, not_among
from ...base.files import names_file
from .checks import across
from .cohort_paths import resolved
from .protocol import Protocol

LIBRARY = Path(__file__).parent / "library"
TEMPLATES = Path(__file__).parent / "templates"


def shipped_protocols() -> dict[str, Path]:
    """Return the protocols that come with the package."""
    return {path.stem: path for path in sorted(LIBRARY.glob("*.yaml"))}


def protocol_template(name: str) -> str:
    """Return the text of a small protocol to begin with.

    Raises
    ------
    ConfigError
        There is no template of this name.
    """
    names = [path.stem for path in sorted(TEMPLATES.glob("*.yaml"))]
    if name not in names:
        raise ConfigError(not_among(names, "unknown-template", f"there is no template {name!r}", name))
    return (TEMPLATES / f"{name}.yaml").read_text(encoding="utf-8")


def protocol_catalogue() -> dict[str, Path]:
    """Return the protocols that can be named: those of the package, and those of installed packages."""
    shipped = shipped_protocols()
    return shipped | plugins.plugin_files("protocols", shipped, find_protocol)


def find_protocol(name: str | Path) -> Protocol:
    """Return a protocol of the package by name, or one from a file.

    Raises
    ------
    ConfigError
        Everything wrong with it, each with line and column; or no such protocol, with the nearest name.
    """
    document = protocol_document(name)
    return resolved(read_protocol(document), document)


def protocol_document(name: str | Path) -> Document:
    """Return the text of a protocol by name or path.

    Raises
    ------
    ConfigError
        There is no such protocol, or the file cannot be read as YAML.
    """
    text = str(name)
    shipped = shipped_protocols()
    file = plugins.plugin_file("protocols", text, shipped) or shipped.get(text)
    if file is not None:
        return read_yaml(file)
    path = arguments.path("protocol", name)
    if names_file(path) or path.suffix in (".yaml", ".yml") or "/" in text:
        return read_yaml(path)
    raise ConfigError(
        not_among(
            protocol_catalogue(), "unknown-protocol", f"there is no protocol {text!r}, and no file of that name", text
        )
    )


def parse_protocol(text: str, file: str = "<text>") -> Protocol:
    """Return the protocol that a YAML text describes; errors as `find_protocol`."""
    return read_protocol(parse_yaml(text, file))


def read_protocol(document: Document) -> Protocol:
    """Return the protocol of a parsed YAML document; errors as `find_protocol`."""
    return check_document(Protocol, document, across)

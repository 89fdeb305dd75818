"""What tests, benchmarks and documents import from the package exists."""

from __future__ import annotations

import ast
import functools
import importlib
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = sorted(path for folder in ("tests", "benchmarks") for path in (ROOT / folder).rglob("*.py"))
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
#: An import inside a string, such as the code of another process: module and names, or module alone.
_WRITTEN = re.compile(r"\bfrom (betapod(?:\.\w+)*) import \(?([\w ,\n]+)|\bimport (betapod(?:\.\w+)*)")


def imports_of(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield line, module and name (empty for a module alone) of what code imports from the package, in its strings as well."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from ((node.lineno, str(node.module), alias.name) for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            for match in _WRITTEN.finditer(node.value):
                names = re.findall(r"(?:^|,)\s*(\w+)", match[2] or "") or [""]
                yield from ((node.lineno, match[1] or match[3], name) for name in names)


@functools.cache
def exists(module: str, name: str) -> bool:
    """Return whether there is such a module, and in it such a name."""
    try:
        imported = importlib.import_module(module)
    except ModuleNotFoundError:
        return False
    if not name or hasattr(imported, name):
        return True
    return hasattr(imported, "__path__") and importlib.util.find_spec(f"{module}.{name}") is not None


def missing(text: str) -> list[tuple[int, str]]:
    """Return line and dotted name of what code imports from the package and is not there."""
    return [
        (line, f"{module}.{name}".rstrip("."))
        for line, module, name in imports_of(text)
        if module.partition(".")[0] == "betapod" and not exists(module, name)
    ]


def test_a_missing_name_is_seen() -> None:
    bad = ["from betapod.nowhere import x", "import betapod.nothing", "from betapod.engine import draw, nobody"]
    good = ["from betapod import load_model", "import betapod.engine.draw", "from betapod.engine import (\n    draw)"]
    names = ["betapod.nowhere.x", "betapod.nothing", "betapod.engine.nobody"]
    assert [name for line in bad for _, name in missing(line)] == names
    assert [name for line in bad for _, name in missing(f"x = {f'1; {line}; y()'!r}")] == names
    assert not [name for line in good for _, name in [*missing(line), *missing(f"x = {line!r}")]]


def test_what_tests_and_benchmarks_import_exists() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: there is no {name}"
        for path in CODE
        if path != Path(__file__)
        for line, name in missing(path.read_text(encoding="utf-8"))
    ]
    assert not wrong, "\n".join(wrong)


def test_what_documents_import_exists() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, block.start()) + 1 + line}: there is no {name}"
        for path in PAGES
        for text in [path.read_text(encoding="utf-8")]
        for block in re.finditer(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        for line, name in missing(block[1])
    ]
    assert not wrong, "\n".join(wrong)

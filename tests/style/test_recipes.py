"""Every recipe for contributors is followed on a copy of the package, and its check refuses what is done wrong."""

from __future__ import annotations

import compileall
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "extend.md"

_EDIT = re.compile(r"(Append to|Write|Change in) `(src/[^`]+)`:\n\n```\w+\n(.*?)^```", re.DOTALL | re.MULTILINE)
_CHECK = re.compile(r"^Check[^\n`]*(?:`[^`]*`[^\n]*)?:\n\n```text\n(.*?)^```", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Edit:
    """One change of one file: `kind` is how the page words it."""

    kind: str
    path: str
    text: str

    def apply(self, root: Path) -> None:
        """Make the change in a copy of the repository."""
        path = root / self.path
        if self.kind == "Write":
            assert not path.exists(), f"{self.path} is there already: choose another example"
            path.write_text(self.text, encoding="utf-8")
        elif self.kind == "Append to":
            before = path.read_text(encoding="utf-8")
            path.write_text(before + "\n" * (not before.endswith("\n")) + self.text, encoding="utf-8")
        else:
            lines = self.text.splitlines(keepends=True)
            old, new = ("".join(line[1:] for line in lines if line[0] != sign) for sign in "+-")
            before = path.read_text(encoding="utf-8")
            assert before.count(old) == 1, f"{self.path} no longer has the lines that the page changes"
            path.write_text(before.replace(old, new), encoding="utf-8")


@dataclass(frozen=True)
class Recipe:
    """A section of the page."""

    edits: tuple[Edit, ...]
    commands: tuple[str, ...]
    tests: tuple[str, ...]


def recipes() -> dict[str, Recipe]:
    """Return the recipes of the page by title."""
    page = PAGE.read_text(encoding="utf-8")
    sections = {part.partition("\n")[0]: part for part in re.split(r"^## ", page, flags=re.MULTILINE)[1:]}
    return {
        title: Recipe(
            tuple(Edit(*match) for match in _EDIT.findall(text)),
            tuple(line for block in _CHECK.findall(text) for line in block.splitlines()),
            tuple(re.findall(r"`(tests/[^`]+)`", text)),
        )
        for title, text in sections.items()
    }


RECIPES = recipes()
FOLLOWED = [title for title, recipe in RECIPES.items() if recipe.edits]

#: Recipe -> what its last check prints; how it is done wrong (old and new text of an edit); what the check that refuses it says.
EXPECTED = {
    "Add a drug": ("HbA1c", ("Ra_m,multiply", "Ra_mm,multiply"), "acts on nothing"),
    "Correct a parameter": ("0.55", ("fixed,assumed,,,D,example", "fixed,literature,,,A,example"), "source"),
    "Add a submodel": ("urate", ("[mg/dL/day]", "[mg/dL]"), "unit"),
    "Add a study": ("1.2", ("SE,mL/min/1.73m2,", "SE,,"), "conventional.csv:[0-9:]+ not a record: missing-unit"),
    "Add a claim": ("SOY_NMA2023", ("        'null': 0\n", ""), "missing-key"),
    "Add a protocol": ("metformin", ("metformin 2 g", "metformine 2 g"), "metformin"),
    "Add a typical person": ("glucose", ("t2d_lean,xE,1.15,1,", "t2d_lean,xE,0.6,1,"), "HbA1c does not reach"),
    "Add an endpoint": ("CAPDENS", ("quantity: CAPDENS", "quantity: CAPDEN"), "CAPDENS"),
}


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("recipes")
    # With what Python has compiled: it holds for every file whose time of change is that of the original.
    ignore = shutil.ignore_patterns("*.pyc.*")  # which Python is about to write
    shutil.copytree(ROOT / "src" / "betapod", root / "src" / "betapod", ignore=ignore)
    compileall.compile_dir(root / "src" / "betapod", quiet=1)
    return root


@pytest.fixture
def copy(package: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """Lend the copy of the package, and put back what the recipe changed."""
    edits = RECIPES[request.node.callspec.params["title"]].edits
    before = {path: path.read_bytes() if path.is_file() else None for path in (package / edit.path for edit in edits)}
    yield package
    for path, content in before.items():
        if content is None:
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(content)


def run(line: str, root: Path) -> subprocess.CompletedProcess[str]:
    words = shlex.split(line)
    assert words[0] == "betapod"
    environment = {**os.environ, "PYTHONPATH": str(root / "src"), "PYTHONUTF8": "1", "COLUMNS": "200", "NO_COLOR": "1"}
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**environment, "PYTHONDONTWRITEBYTECODE": "1"},
    )


def test_every_recipe_is_followed() -> None:
    assert set(FOLLOWED) == set(EXPECTED)
    for title in FOLLOWED:
        assert RECIPES[title].commands, f"{title}: no command that checks"
    for title, recipe in RECIPES.items():
        assert recipe.tests, f"{title}: no test is named"
        for path in recipe.tests:
            assert (ROOT / path).exists(), f"{title}: there is no {path}"


@pytest.mark.parametrize("title", FOLLOWED)
def test_a_recipe_works(title: str, copy: Path) -> None:
    recipe = RECIPES[title]
    for edit in recipe.edits:
        edit.apply(copy)
    for line in recipe.commands:
        done = run(line, copy)
        assert done.returncode == 0, f"{line}\n{done.stderr}"
    assert EXPECTED[title][0] in done.stdout, done.stdout


@pytest.mark.parametrize("title", FOLLOWED)
def test_the_check_refuses_what_is_done_wrong(title: str, copy: Path) -> None:
    recipe = RECIPES[title]
    _, (old, new), message = EXPECTED[title]
    assert sum(old in edit.text for edit in recipe.edits) == 1
    for edit in recipe.edits:
        Edit(edit.kind, edit.path, edit.text.replace(old, new, 1)).apply(copy)
    printed = ""
    for line in recipe.commands:
        done = run(line, copy)
        printed += done.stdout + done.stderr
        if done.returncode:
            break
    assert done.returncode == 2, printed
    assert re.search(message, printed), printed

"""Names and words of the house: local names say what they hold, one class has one name, retired words stay away."""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from source_trees import PACKAGE, ROOMS, SOURCES, files_of, room_of, tree_of

ROOT = Path(__file__).parents[2]

#: Local names that make a reader guess: say what the thing is (effects, columns, candidates, location).
RIDDLES = frozenset(
    [
        "found",
        "known",
        "one",
        "place",
        "made",
        "each",
        "seen",
        "chosen",
        "what",
        "given",
        "own",
        "mine",
        "luck",
        "taken",
        "whole",
        "shown",
    ]
)
#: How many of them a room may still have; what is not here has none. Only ever make these smaller.
RIDDLES_LEFT = {
    "base": 1,  # Problem.found: found against expected
    "patients": 1,  # CohortComparison.chosen, a key of its JSON
    "cli": 26,
    "engine": 1,
    "person": 1,
    "therapies": 1,
    "validation": 1,
}

#: Classes that share a name: none. Nothing may be added.
SHARED_CLASSES: frozenset[str] = frozenset()
#: Files that still share a name, beside those of the command line and the front, which are named for what they serve.
SHARED_FILES = frozenset({"table.py"})
#: Public functions that share a name, and why; nothing may be added.
SHARED_FUNCTIONS = {
    "register": "every file of verbs adds them to the command line by it",
    "dcct": "procedures of the scorecard, named by the targets of their organ",
    "ukpds": "procedures of the scorecard, named by the targets of their organ",
    **dict.fromkeys(
        ("exp", "log", "logistic", "power", "softplus", "wright_omega"),
        "functions of the model language, as graph, as number and as compiled code",
    ),
}

#: Words that the field does not use for what was meant, and what it says instead.
RETIRED = {
    r"lucks?": "random numbers, draws",
    r"suppositions?": "scenario",
    r"parameterisations?": "scenario, parameters",
    r"hypothes[ie]s": "scenario",
    r"lots?": "batch",
    r"la(?:id|ys?) (?:\w+ ){0,2}over": "overrides, overlay",
    r"whoever": "those who, people who",
    r"as far as": "to the extent that, where",
}
_RETIRED = re.compile(rf"\b({'|'.join(RETIRED)})\b", re.IGNORECASE)
#: How often a room's code and templates may still have one. Only ever make these smaller.
RETIRED_LEFT = {"therapies": 1}  # the kind of an error, bad-lot, stays


def bound_names(tree: ast.AST) -> list[str]:
    """Return the names that are assigned, looped over or taken as arguments."""
    stored = [n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    return stored + [n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)]


def definitions(kind: type[ast.AST]) -> dict[str, list[Path]]:
    """Return public names defined at the top of modules -> their modules."""
    where: dict[str, list[Path]] = defaultdict(list)
    for path in SOURCES:
        for node in tree_of(path).body:
            if isinstance(node, kind) and not node.name.startswith("_"):  # type: ignore[attr-defined]
                where[node.name].append(path)  # type: ignore[attr-defined]
    return where


def test_the_counter_sees_every_binding() -> None:
    text = "def f(given, *, known=1):\n    found = [each for each in given]\n    for place, x in found: pass\n"
    assert sorted(n for n in bound_names(ast.parse(text)) if n in RIDDLES) == [
        "each",
        "found",
        "given",
        "known",
        "place",
    ]


@pytest.mark.parametrize("room", ROOMS)
def test_local_names_say_what_they_hold(room: str) -> None:
    names = Counter(
        f"{path.relative_to(PACKAGE)}: {name}"
        for path in files_of(room)
        for name in bound_names(tree_of(path))
        if name in RIDDLES
    )
    allowed = RIDDLES_LEFT.get(room, 0)
    assert names.total() <= allowed, f"{room} may have {allowed}, has {names.total()}: {dict(names)}"


def test_class_names_are_unique() -> None:
    shared = {name: paths for name, paths in definitions(ast.ClassDef).items() if len(paths) > 1}
    new = {name: [str(path.relative_to(PACKAGE)) for path in paths] for name, paths in shared.items()}
    assert not set(new) - SHARED_CLASSES, {name: new[name] for name in set(new) - SHARED_CLASSES}


def test_file_names_are_unique() -> None:
    where: dict[str, list[str]] = defaultdict(list)
    for path in SOURCES:
        if path.name not in ("__init__.py", "__main__.py") and room_of(path) not in ("cli", "front"):
            where[path.name].append(str(path.relative_to(PACKAGE)))
    shared = {name: paths for name, paths in where.items() if len(paths) > 1}
    assert not set(shared) - SHARED_FILES, {name: shared[name] for name in set(shared) - SHARED_FILES}


def test_public_functions_have_a_name_of_their_own() -> None:
    """A name of the front door counts too: what stands behind it in a room is called otherwise."""
    shared = {
        name: [str(path.relative_to(PACKAGE)) for path in paths]
        for name, paths in definitions(ast.FunctionDef).items()
        if len(paths) > 1
    }
    new = {name: paths for name, paths in shared.items() if name not in SHARED_FUNCTIONS}
    assert not new, f"{new}: say what is read, run, drawn or written"
    assert not set(SHARED_FUNCTIONS) - set(shared), "no longer shared: take it off the list"


@pytest.mark.parametrize("room", ROOMS)
def test_retired_words_stay_away_from_code(room: str) -> None:
    # The words of earlier versions stand in one place, for those who still write them.
    paths = [
        p
        for p in PACKAGE.rglob("*")
        if p.suffix in (".py", ".jinja")
        and room_of(p) == room
        and p.name not in ("former_names.py", "former_options.py")
    ]
    hits = [
        f"{path.relative_to(PACKAGE)}:{number}: {match[0]}"
        for path in sorted(paths)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for match in _RETIRED.finditer(line)
    ]
    allowed = RETIRED_LEFT.get(room, 0)
    assert len(hits) <= allowed, f"{room} may have {allowed}, has {len(hits)}: {hits}; say {RETIRED}"


@pytest.mark.parametrize(
    "path",
    sorted([*ROOT.glob("docs/**/*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]),
    ids=lambda path: path.name,
)
def test_retired_words_stay_away_from_documents(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    hits = [f"{number}: {match[0]}" for number, line in enumerate(lines, 1) for match in _RETIRED.finditer(line)]
    assert not hits, f"{path.name}: {hits}; say {RETIRED}"

"""The rules of the house: import direction, file length, parameter rows, words, public names, start-up."""

from __future__ import annotations

import ast
import itertools
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
import source_trees
from source_trees import PACKAGE, SOURCES, files_of, tree_of

ROOT = Path(__file__).parents[2]
TABLES = sorted((PACKAGE / "physiology" / "parameters").rglob("*.csv"))

#: The rooms, from the ground up: each may import those before it, and itself. `observables` and `model` know nothing of each other.
ORDER = (
    "base",
    "observables",
    "model",
    "evidence",
    "physiology",
    "engine",
    "therapies",
    "hazards",
    "person",
    "patients",
    "health",
    "twins",
    "trials",
    "value",
    "claims",
    "validation",
    "calibration",
    "trust",
    "sensitivity",
    "exchange",
    "report",
    "explorer",
    "front",
    "server",
    "cli",
)
#: What stands lower and is still not for a room.
APART = {
    ("model", "observables"),
    ("evidence", "model"),
    ("physiology", "evidence"),
    ("engine", "evidence"),
    ("engine", "physiology"),
    ("engine", "observables"),
    ("therapies", "evidence"),
    ("hazards", "evidence"),
    ("person", "evidence"),
    ("patients", "evidence"),
    ("health", "evidence"),
    ("twins", "evidence"),
    ("trials", "evidence"),
    ("value", "evidence"),
    ("calibration", "claims"),
    ("exchange", "claims"),
    ("exchange", "validation"),
    ("exchange", "calibration"),
    ("report", "exchange"),
}
ROOMS = set(ORDER)
#: The order within rooms that have rooms of their own.
INNER: dict[str, tuple[str, ...]] = {
    "model": ("algebra", "language", "parameters", "assembly", "printing"),
    "evidence": ("records", "synthesis"),
    "validation": ("scorecard", "predictions", "forecasts"),
    "report": ("common", "claims", "predictions", "trial"),
}


def tracked(*patterns: str) -> list[Path]:
    """Return the files of the repository that match, whether committed or about to be."""
    done = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip("not a git repository")
    return [ROOT / line for line in done.stdout.splitlines() if (ROOT / line).is_file()]


def imported(path: Path, nodes: Iterable[ast.AST]) -> Iterator[tuple[list[str], int]]:
    """Yield what the imports among nodes of a file name, part by part, with their lines."""
    package = ["betapod", *path.relative_to(PACKAGE).parts[:-1]]
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((alias.name.split("."), node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = [*base, *(node.module.split(".") if node.module else [])]
            yield from (([*stem, alias.name], node.lineno) for alias in node.names)


def imported_rooms(path: Path, tree: ast.Module) -> set[tuple[str, int]]:
    """Return the first-level names of this package that a file imports, with lines."""
    nodes = ast.walk(tree)
    return {(parts[1], line) for parts, line in imported(path, nodes) if parts[0] == "betapod" and len(parts) > 1}


def run_time_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Walk a tree without what stands under ``if TYPE_CHECKING``."""
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and ast.unparse(child.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")):
            yield child
            yield from run_time_nodes(child)


def import_graph(trees: Mapping[Path, ast.Module]) -> dict[str, set[str]]:
    """Return file -> files of the package that it imports at run time, at its head or inside a function."""
    files = {path.relative_to(PACKAGE).with_suffix("").parts: path for path in trees}
    graph = {}
    for path, tree in trees.items():
        targets = set()
        for parts, _ in imported(path, run_time_nodes(tree)):
            # The name is a module, or something inside the module or package before it.
            stems = (tuple(parts[1:]), tuple(parts[1:-1]), (*parts[1:], "__init__"), (*parts[1:-1], "__init__"))
            target = next((files[stem] for stem in stems if stem in files), None) if parts[0] == "betapod" else None
            targets |= {str(target.relative_to(PACKAGE))} if target and target != path else set()
        graph[str(path.relative_to(PACKAGE))] = targets
    return graph


def circle_in(graph: Mapping[str, set[str]]) -> list[str]:
    """Return the files of one circle, the first once more at the end; empty if there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []


def test_no_files_import_each_other_in_a_circle() -> None:
    circle = circle_in(import_graph({path: tree_of(path) for path in SOURCES}))
    assert not circle, f"a circle: {' imports '.join(circle)}; move what both need to a file of its own"


def test_the_circle_test_sees_imports_in_functions_and_leaves_out_types() -> None:
    first, second, third = (PACKAGE / "engine" / name for name in ("draw.py", "floors.py", "limits.py"))
    texts = {
        first: "from .floors import x\n",
        second: "def f():\n    from betapod.engine import limits\n",
        third: "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from . import draw\n",
    }
    graph = import_graph({path: ast.parse(text) for path, text in texts.items()})
    assert graph == {
        "engine/draw.py": {"engine/floors.py"},
        "engine/floors.py": {"engine/limits.py"},
        "engine/limits.py": set(),
    }
    assert circle_in(graph) == []
    texts |= {third: "import betapod.engine.draw\n"}
    graph = import_graph({path: ast.parse(text) for path, text in texts.items()})
    circle = circle_in(graph)
    assert circle[0] == circle[-1] and len(circle) == 4
    assert all(then in graph[file] for file, then in itertools.pairwise(circle))


@pytest.mark.parametrize("room", source_trees.ROOMS)
def test_imports_go_one_way(room: str) -> None:
    inner = [path for path in files_of(room) if path.parent != PACKAGE]
    assert not inner or room in ORDER, f"say in ORDER where the new room {room!r} stands"
    wrong = [
        f"{path.relative_to(PACKAGE)}:{line}: {room} must not import {name}"
        for path in inner
        for name, line in imported_rooms(path, tree_of(path))
        if name in ROOMS and name != room and (ORDER.index(name) > ORDER.index(room) or (room, name) in APART)
    ]
    assert not wrong, "\n".join(wrong)


def may_import(room: str) -> set[str]:
    """Return the other rooms that a room may import."""
    return {name for name in ORDER[: ORDER.index(room)] if (room, name) not in APART}


@pytest.mark.parametrize(
    ("room", "below"),
    [
        ("base", set()),
        ("observables", {"base"}),
        ("model", {"base"}),
        ("evidence", {"base", "observables"}),
        ("physiology", {"base", "observables", "model"}),
        ("engine", {"base", "model"}),
        ("front", ROOMS - {"front", "server", "cli"}),
        ("server", ROOMS - {"server", "cli"}),
        ("cli", ROOMS - {"cli"}),
    ],
)
def test_the_direction_is_the_one_that_was_drawn(room: str, below: set[str]) -> None:
    """Equations and solver never meet, evidence knows no model, and the front door stands above all but server and command line."""
    assert may_import(room) == below


def test_every_exception_to_the_order_is_needed() -> None:
    assert [(room, name) for room, name in sorted(APART) if ORDER.index(name) >= ORDER.index(room)] == []


def test_the_direction_test_sees_imports() -> None:
    """The scanner itself: relative, absolute and nested imports are found."""
    path = PACKAGE / "engine" / "imaginary.py"
    text = "from ..physiology import x\ndef f():\n    import betapod.report.common.words\n    from . import y\n"
    assert {name for name, _ in imported_rooms(path, ast.parse(text))} == {"physiology", "report", "engine"}


@pytest.mark.parametrize("room", source_trees.ROOMS)
def test_files_are_short(room: str) -> None:
    lines = {str(path.relative_to(PACKAGE)): path.read_bytes().count(b"\n") for path in files_of(room)}
    long = {name: count for name, count in lines.items() if count >= 600}
    assert not long, f"split by purpose, these have so many lines: {long}"


@pytest.mark.parametrize("room", source_trees.ROOMS)
def test_every_module_says_what_it_is(room: str) -> None:
    silent = [str(path.relative_to(PACKAGE)) for path in files_of(room) if not ast.get_docstring(tree_of(path))]
    assert not silent, f"without a docstring: {silent}"


def test_parameter_tables_keep_the_rules() -> None:
    from betapod.model import ParameterTable
    from betapod.model.bibliography import Bibliography

    works = Bibliography.read(PACKAGE / "physiology" / "parameters" / "references.bib")
    assert TABLES
    for path in TABLES:
        header = path.read_text(encoding="utf-8").partition("\n")[0]
        if not header.startswith("id,label,value,unit"):
            continue  # not a parameter table
        for row in ParameterTable.read(path, sources=works).values():
            place = f"{path.name}: {row.id}"
            assert row.unit and row.role and row.grade, place
            assert row.label, f"{place} has no label"
            assert row.role != "literature" or row.grade != "D", f"{place}: what a source states was measured or fitted"
            assert row.role not in ("assumed", "memory") or row.grade == "D", f"{place}: not measured, so grade D"
            assert row.role != "derived" or row.note or row.source, f"{place}: how was it derived?"
            assert row.plausible, f"{place}: {row.value:g} is outside {row.low:g} to {row.high:g}"


def test_every_work_in_the_bibliography_can_be_found() -> None:
    from betapod.model.bibliography import Bibliography

    works = Bibliography.read(PACKAGE / "physiology" / "parameters" / "references.bib")
    for key, work in works.items():
        identified = any(
            work.fields.get(name) for name in ("doi", "pmid", "pmcid", "url", "journal", "howpublished", "note")
        )
        assert identified, f"{key} has nothing to find it by"


#: Built from pieces, so that this file does not contain them.
FORBIDDEN = {
    "machine path": re.compile("/" + r"(?:work|tmp|root|home/\w+)/"),
    "data folder": re.compile(r"\.\./" + "shared"),
    "registry host": re.compile(r"(?:files\.)?" + "py" + r"thonhosted\.org|" + "py" + r"pi\.org/simple|index-url"),
    "workplace": re.compile(
        r"\b(?:" + "cla" + "ude|" + "anth" + "ropic|" + "chat" + "gpt|sub-?" + "agent)" + r"\b", re.IGNORECASE
    ),
    "promise": re.compile(r"\b(?:TO" + "DO|FIX" + "ME|XX" + r"X)\b"),
}


def test_the_repository_speaks_of_the_product_alone() -> None:
    wrong = []
    for path in tracked("*.py", "*.md", "*.csv", "*.bib", "*.toml", "*.cff", "*.yaml", "*.yml", "*.txt", "Makefile"):
        if path == Path(__file__):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
            wrong += [
                f"{path.relative_to(ROOT)}:{number}: {what}" for what, word in FORBIDDEN.items() if word.search(line)
            ]
    assert not wrong, "\n".join(wrong)


HEAVY = ("numpy", "scipy", "pandas", "matplotlib", "pint", "libsbml", "llvmlite", "duckdb", "rich", "typer", "dask")


def loaded_after(statement: str) -> set[str]:
    code = f"import sys, json\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_import_is_light() -> None:
    assert not loaded_after("import betapod") & set(HEAVY)


def test_the_command_line_starts_without_heavy_modules() -> None:
    heavy = set(HEAVY) - {"rich", "typer"}
    verbs = ("model", "params", "simulate", "doctor")
    assert (
        not loaded_after("import betapod.cli.main, " + ", ".join(f"betapod.cli.verbs.{verb}" for verb in verbs)) & heavy
    )


def test_the_language_needs_no_science_stack() -> None:
    assert not loaded_after("import betapod.model, betapod.model.printing.render") & {
        "scipy",
        "pandas",
        "matplotlib",
        "libsbml",
    }


#: What users may rely on. A name that goes or comes is a decision: change this list with the changelog.
PUBLIC = [
    "Answer",
    "Bibliography",
    "Confrontation",
    "Dose",
    "Ensemble",
    "EnsembleResult",
    "EnsembleSummary",
    "Ledger",
    "Library",
    "Model",
    "Parameter",
    "ParameterTable",
    "Part",
    "Plan",
    "Pooled",
    "Protocol",
    "Registry",
    "Result",
    "Schedule",
    "Scorecard",
    "SelectedCohort",
    "SizedTrial",
    "Submodel",
    "Switch",
    "TrialRun",
    "analyses",
    "answer",
    "assemble",
    "check_adam",
    "cite",
    "confront",
    "convert",
    "designs",
    "draw_patients",
    "errors",
    "evaluate_petab",
    "export_cdisc",
    "fit_own_data",
    "fit_petab",
    "forecast_patient",
    "grade",
    "harms",
    "how_trusted",
    "identify_numbers",
    "judge_claims",
    "kidney_risks",
    "likelihood_profiles",
    "list_claims",
    "list_cohorts",
    "list_complications",
    "list_drugs",
    "list_models",
    "list_observables",
    "list_overlays",
    "list_people",
    "list_protocols",
    "list_scenarios",
    "list_switches",
    "load_evidence",
    "load_library",
    "load_model",
    "load_person",
    "load_protocol",
    "open_trial",
    "open_value",
    "plan",
    "pool",
    "read_adam",
    "read_cellml",
    "read_labs",
    "read_petab",
    "read_sbml",
    "render",
    "run_sedml",
    "run_trial",
    "run_value",
    "select_cohort",
    "sensitivity_indices",
    "show_complication",
    "show_drug",
    "simulate",
    "simulate_nonmem",
    "size_trial",
    "solve_flux_balance",
    "trial_sensitivity",
    "trusted_numbers",
    "validate",
    "validate_forecasts",
    "verdict_sensitivity",
    "verdicts_by_number",
    "write_archive",
    "write_explorer",
    "write_nonmem",
    "write_report",
    "write_sbml",
    "write_sedml_results",
    "write_trial_archive",
    "write_wasm",
]


def test_public_names() -> None:
    import betapod

    assert sorted(set(betapod.__all__) - {"__version__"}) == PUBLIC
    assert sorted(betapod._PUBLIC) == PUBLIC
    assert dir(betapod) == sorted(betapod.__all__)
    for name in PUBLIC:
        assert getattr(betapod, name) is not None
        # A room of this name would hide it as soon as it is imported.
        assert name not in ROOMS
        assert re.search(rf"\b{name}\b", betapod.__doc__ or ""), f"{name} is missing in the overview"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        betapod.nothing  # noqa: B018


def test_one_version() -> None:
    import betapod

    with (ROOT / "pyproject.toml").open("rb") as file:
        version = tomllib.load(file)["project"]["version"]
    assert betapod.__version__ == version
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"version: {version}" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_every_document_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    missing = [
        name
        for path in tracked("docs/*.md")
        if (name := path.relative_to(ROOT / "docs").as_posix()) != "README.md" and f"]({name})" not in index
    ]
    assert not missing, f"add to docs/README.md: {', '.join(missing)}"


def test_links_between_documents_lead_somewhere() -> None:
    wrong = []
    for path in tracked("*.md"):
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            if "://" not in target and not target.startswith("mailto:") and not (path.parent / target).exists():
                wrong.append(f"{path.relative_to(ROOT)}: {target}")
    assert not wrong, "\n".join(wrong)


def test_tables_and_lines_leave_through_one_door() -> None:
    """Cells that spreadsheets compute and characters that terminals obey are made harmless in `exports`, and nowhere else."""
    doors = {
        r"\.to_csv\(|csv\.writer\(|DictWriter\(": ("exports.py", "display.py"),  # `display` writes through `exports`
        r"sys\.std(out|err)\.write\(|print_exc\(": ("shared.py",),
    }
    for pattern, allowed in doors.items():
        found = [path.name for path in PACKAGE.rglob("*.py") if re.search(pattern, path.read_text(encoding="utf-8"))]
        assert set(found) <= set(allowed), pattern

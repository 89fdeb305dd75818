"""What the documents show works: commands and Python examples are run."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from few_draws import few_draws as few_draws

ROOT = Path(__file__).parents[2]


def blocks(language: str, besides: Sequence[Path] = ()) -> list[tuple[str, str]]:
    """Return place and text of every fenced block of a language, but for pages `besides`."""
    found = []
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        if path in besides:
            continue
        text = path.read_text(encoding="utf-8")
        for match in re.finditer(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            found.append((f"{path.name}:{text.count(chr(10), 0, match.start()) + 1}", match[1]))
    return found


#: Pages whose files, commands and examples build on each other: followed from top to bottom in one folder.
WALKS = sorted([*(ROOT / "docs" / "start").glob("*.md"), *(ROOT / "docs" / "how-to").glob("*.md")])
_STEP = re.compile(
    r"(?:[Ss]ave as `(?P<name>[^`]+)`:\n\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL
)


def commands(text: str) -> list[str]:
    """Return the lines of a block that are commands of betapod, but for those that only long runs need."""
    lines = text.splitlines()
    return [line for line in lines if line.startswith("betapod ") and not re.search(r"betapod (ensemble|merge)", line)]


COMMANDS = [
    pytest.param(line, id=f"{place} {line[:40]}")
    for place, text in blocks("sh", besides=WALKS)
    for line in commands(text)
]


def run_python(text: str, folder: Path) -> None:
    path = folder / "example.py"
    path.write_text(text, encoding="utf-8")
    sys.modules.pop("__example__", None)
    exec(compile(text, str(path), "exec"), {"__name__": "__example__"})  # noqa: S102


def run_command(line: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from betapod.cli.main import main

    before = set(folder.iterdir())
    monkeypatch.setattr(sys, "argv", shlex.split(line))
    with pytest.raises(SystemExit) as stopped:
        main()
    written = capsys.readouterr()
    assert not stopped.value.code, f"{line}\n{written.err}"
    assert written.out or set(folder.iterdir()) - before, line


@pytest.mark.parametrize(
    ("place", "text"), blocks("python", besides=WALKS), ids=lambda value: str(value)[:24].partition("\n")[0]
)
def test_python_examples(place: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run_python(text, tmp_path)


@pytest.mark.parametrize("page", WALKS, ids=lambda page: f"{page.parent.name}/{page.stem}")
def test_a_page_works_from_top_to_bottom(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if page.stem == "serve":
        pytest.importorskip("fastapi", reason="the extra server is not installed")
    monkeypatch.chdir(tmp_path)
    for step in _STEP.finditer(page.read_text(encoding="utf-8")):
        if step["name"]:
            (tmp_path / step["name"]).write_text(step["text"], encoding="utf-8")
        elif step["language"] == "python":
            run_python(step["text"], tmp_path)
        elif step["language"] == "sh":
            for line in commands(step["text"]):
                run_command(line, tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize(("place", "text"), blocks("python"), ids=lambda value: str(value)[:24].partition("\n")[0])
def test_python_examples_import_from_betapod_alone(place: str, text: str) -> None:
    """A reader needs no module of the package by its path: what the examples use is public."""
    deep = [
        name
        for node in ast.walk(ast.parse(text))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
        if name.startswith("betapod.")
    ]
    assert not deep, f"{place} imports {', '.join(deep)}"


@pytest.mark.parametrize("line", COMMANDS)
def test_commands(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    run_command(line, tmp_path, monkeypatch, capsys)


def test_every_verb_is_documented() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "betapod", "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "200", "PYTHONUTF8": "1", "NO_COLOR": "1"},
    )
    verbs = re.findall(r"^│ ([a-z]\w*) ", done.stdout, re.MULTILINE)
    assert "simulate" in verbs
    text = (ROOT / "docs" / "reference" / "command-line.md").read_text(encoding="utf-8")
    # A row of the table begins with it; a word in the row of another verb, such as `evidence pool`, is none.
    described = {
        word for row in re.findall(r"^\| (`[^|]*)\|", text, re.MULTILINE) for word in re.findall(r"`(\w+)", row)
    }
    first = {row.split()[0].strip("`,") for row in re.findall(r"^\| (`[^|]*)\|", text, re.MULTILINE)}
    several = {"mmtt", "clamp", "merge"}
    assert [verb for verb in verbs if verb not in first | (described & several)] == []


def test_the_verbs_are_those_that_are_listed() -> None:
    """A module whose name begins with cli, or a function called register, is no verb by itself."""
    from betapod.cli import main as cli

    cli._register([])
    known = {info.name for info in (*cli.app.registered_commands, *cli.app.registered_groups)}
    assert known == set(cli.MODULES)


def test_examples_are_found() -> None:
    assert len(blocks("python")) >= 3
    assert len(COMMANDS) >= 10


def test_the_problem_that_is_shown_is_the_one_that_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from betapod.base.errors import ModelError
    from betapod.cli.shared import model_from

    page = (ROOT / "docs" / "reference" / "language.md").read_text(encoding="utf-8")
    model, shown = (re.findall(rf"^({start}.*?)^```", page, re.M | re.S)[0] for start in ("reads feed", "toy.txt:"))
    monkeypatch.chdir(tmp_path)
    Path("toy.txt").write_text(model.replace("k*S", "kk*S"), encoding="utf-8")
    rows = ("feed,0,mg/day,input", "k,0.5,1/day,assumed", "S0,10,mg,assumed", "S_low,0.1,mg,assumed")
    cells = (row.split(",") for row in rows)
    Path("toy.csv").write_text(
        "id,label,value,unit,low,high,distribution,role,source,locator,grade,note\n"
        + "".join(f"{name},,{value},{unit},,,fixed,{role},,,D,\n" for name, value, unit, role in cells),
        encoding="utf-8",
    )
    with pytest.raises(ModelError) as caught:
        model_from("toy.txt")
    assert str(caught.value) == shown.rstrip()


@pytest.mark.parametrize(
    "page",
    [ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs" / "background").glob("*.md"))],
    ids=lambda page: page.stem,
)
def test_files_that_pages_name_are_there(page: Path) -> None:
    names = re.findall(r"`([\w/]+\.(?:py|bib|csv|yaml))`", page.read_text(encoding="utf-8"))
    files = [path.as_posix() for folder in ("src", "tests", "benchmarks") for path in (ROOT / folder).rglob("*")]
    assert [name for name in names if not any(path.endswith(f"/{name}") for path in files)] == []


def anchors(page: Path) -> set[str]:
    """Return what links to the headings of a page end with, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize(
    "page",
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))],
    ids=lambda page: f"{page.parent.name}/{page.stem}",
)
def test_links_lead_to_a_heading(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s:]*\.md)?#([^)\s]+)\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if link[1] not in anchors(page.parent / link[0] if link[0] else page)] == []


def test_the_readme_lists_every_room() -> None:
    rooms = {path.parent.name for path in (ROOT / "src" / "betapod").glob("*/__init__.py")}
    table = (ROOT / "README.md").read_text(encoding="utf-8").partition("| room |")[2]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == rooms

"""Compiled programs on disk: found again, never trusted blindly, shared without clashes, and no need at all."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from betapod.base import cache as kept
from betapod.engine.compiled import kernel, machine
from betapod.engine.compiled import program_cache as cache
from betapod.engine.ensemble import Ensemble
from betapod.model import Model


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "programs"
    monkeypatch.setenv("BETAPOD_CACHE", str(place))
    return place


def entries(folder: Path) -> list[str]:
    """Return the kinds of entries that are kept."""
    return sorted(path.suffix for path in folder.iterdir() if path.is_file())


def fresh(model: Model, monkeypatch: pytest.MonkeyPatch, **options: int) -> kernel.Kernel:
    """Return a kernel as a new process would get it."""
    monkeypatch.setattr(kernel, "_in_memory", {})
    return Ensemble(model, **options).kernel()  # type: ignore[arg-type]


def test_second_process_does_not_compile(reservoir: Model, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not folder.exists()
    first = fresh(reservoir, monkeypatch)
    assert first.origin == "compiled" and entries(folder) == [".object", ".program"]
    with monkeypatch.context() as patch:
        patch.setattr(kernel, "lower", None)
        second = fresh(reservoir, monkeypatch)
    assert second.origin == "disk"
    assert (first.parameters, first.workspace, first.operations) == (
        second.parameters,
        second.workspace,
        second.operations,
    )
    assert fresh(reservoir, monkeypatch, width=2).origin == "compiled"


@pytest.mark.parametrize("kind", ["object", "program"])
@pytest.mark.parametrize("damage", ["cut", "bit", "text", "digest"])
def test_damaged_and_foreign_entries_are_rebuilt(
    damage: str, kind: str, reservoir: Model, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = Ensemble(reservoir, cache=False).run(2, [0.0, 5.0]).values
    fresh(reservoir, monkeypatch, width=2)
    entry = next(folder.glob(f"*.{kind}"))
    content = entry.read_bytes()
    other = b"".join([content[:16], b"0" * 64, content[80:]])
    broken = {
        "cut": content[: len(content) // 2],
        "bit": content[:-100] + bytes([content[-100] ^ 1]) + content[-99:],
        "text": b"betapod entry 1\nhello\n",
        "digest": other,
    }[damage]
    entry.write_bytes(broken)
    # Where only the description is damaged, the machine code is found by what it was made of.
    assert fresh(reservoir, monkeypatch, width=2).origin == ("compiled" if kind == "object" else "disk")
    assert entries(folder) == [".object", ".program"]
    assert fresh(reservoir, monkeypatch, width=2).origin == "disk"
    np.testing.assert_array_equal(Ensemble(reservoir, width=2).run(2, [0.0, 5.0]).values, right)


def test_an_entry_under_the_name_of_another_is_not_taken(folder: Path) -> None:
    assert cache.write_program("a", {"width": 2}, "code-a", b"code")
    (folder / "a.program").rename(folder / "b.program")
    assert cache.read_program("b") is None
    assert cache.write_program("b", {"width": 2}, "code-b", b"code")
    assert cache.read_program("b") == ({"width": 2, "key": "b", "object": "code-b"}, b"code")
    (folder / "code-a.object").replace(folder / "code-b.object")
    assert cache.read_program("b") is None and cache.read_object("code-b") is None


def test_another_version_is_another_entry_of_the_same_machine_code(
    reservoir: Model, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change of betapod that leaves the assembly of a model as it is has nothing compiled again."""
    fresh(reservoir, monkeypatch)
    monkeypatch.setattr(kernel, "_versions", lambda: {"program": ""})
    monkeypatch.setattr(kernel, "compile_object", None)
    assert fresh(reservoir, monkeypatch).origin == "disk"
    assert entries(folder) == [".object", ".program", ".program"]


def test_other_assembly_or_another_optimisation_is_other_machine_code(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {machine.object_name("a"), machine.object_name("b")}
    monkeypatch.setattr(machine, "LEVEL", 2)
    assert len(names | {machine.object_name("a")}) == 3


def test_a_place_that_cannot_be_written_is_no_error(
    reservoir: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    monkeypatch.setenv("BETAPOD_CACHE", str(blocked / "programs"))
    assert fresh(reservoir, monkeypatch).origin == "compiled"
    assert fresh(reservoir, monkeypatch).origin == "compiled"
    assert blocked.read_text() == "in the way"


def test_without_cache_nothing_is_written(reservoir: Model, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "_in_memory", {})
    assert Ensemble(reservoir, cache=False).kernel().origin == "compiled"
    assert not folder.exists()


def test_default_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("BETAPOD_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    if sys.platform.startswith("linux"):
        assert kept.folder() == tmp_path / "betapod"
    assert kept.folder().name == "betapod"


def test_processes_that_compile_at_the_same_time(folder: Path) -> None:
    """Three processes want the same program at once; each gets its answer, and one good entry stays."""
    script = """
import numpy as np
from betapod.engine.ensemble import Ensemble
from betapod.model import ParameterTable, Part, assemble
from betapod.model import Parameter
rows = [Parameter(n, n, v, u, 0.0, 9.0, "fixed", "assumed", "", "", "D", "") for n, v, u in [("k", 1.0, "1/day"), ("a", 1.0, "1")]]
part = Part.from_text("p", "dA/dt = -k*A [1/day] a\\nA(0) = a [1] a")
print(Ensemble(assemble("p", [part], ParameterTable(rows))).run(3, [1.0]).values[2, 0, 0])
"""
    running = [
        subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=dict(os.environ))
        for _ in range(3)
    ]
    answers = [process.communicate(timeout=600)[0].strip() for process in running]
    assert len(set(answers)) == 1 and float(answers[0]) == pytest.approx(np.exp(-1.0), rel=1e-6)
    assert entries(folder) == [".object", ".program"]


def test_one_compiles_while_the_others_wait(folder: Path) -> None:
    """What is done alone never overlaps, in processes and threads; one who waits too long goes on."""
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        with kept.alone("compiling/ab"):
            inside += 1
            most = max(most, inside)
            time.sleep(0.01)
            inside -= 1

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    with kept.alone("compiling/ab"), kept.alone("compiling/cd"), kept.alone("compiling/ab", patience=0.05):
        pass


def test_where_no_folder_can_be_made_nobody_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("BETAPOD_CACHE", str(tmp_path / "file" / "programs"))
    done = []
    with kept.alone("compiling/ab"):
        done.append(True)
    assert done

"""Errors of the library name arguments, not options: what a Python user reads holds for Python."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import betapod
from betapod.base.errors import ConfigError, ParameterError, Problem

SOURCE = Path(betapod.__file__).parent


def test_a_value_is_named_as_it_was_given() -> None:
    with pytest.raises(ParameterError) as caught:
        betapod.load_model("kidney").with_values({"G": "203 mg"})
    assert str(caught.value).startswith("G = 203 mg: wrong-unit: ")


def test_what_stands_in_no_file_has_no_place() -> None:
    assert str(Problem("bad-times", "the times must increase")) == "bad-times: the times must increase"
    with pytest.raises(ConfigError, match=r"^bad-times: "):
        betapod.simulate(betapod.load_model("kidney"), [3.0, 2.0])


def test_no_option_is_named_in_the_library_without_its_argument() -> None:
    """The command line names its own options; where the library must, it names both."""
    # Files are guarded for commands alone; the linker of WebAssembly has options of its own.
    own = {"overwriting.py", "wasm_build.py"}
    commands = {"cli", "answer"}  # the answer says by which command each of its numbers comes about
    named = {
        f"{path.relative_to(SOURCE)}: {line.strip()}"
        for path in SOURCE.rglob("*.py")
        if commands.isdisjoint(path.relative_to(SOURCE).parts) and path.name not in own
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"(?<!var)[\"' (]--[a-z]{2}", line) and "argument" not in line
    }
    assert named == set()

"""Units that the package reads without pint are those that pint would read."""

from __future__ import annotations

import subprocess
import sys

import pytest
from known_units import COMMANDS, written

from betapod.base import units


def test_the_file_is_what_pint_says() -> None:
    assert units.KNOWN_UNITS.read_text(encoding="utf-8") == written(set(units._known_units()))


def test_a_unit_is_the_same_by_the_file_and_by_pint(monkeypatch: pytest.MonkeyPatch) -> None:
    by_file = {text: units._parsed(text, 2.0, text) for text in ("mL/min", "mmHg*min/L", "%", "day")}
    monkeypatch.setattr(units, "_known_units", dict)
    assert {text: units._parsed(text, 2.0, text) for text in by_file} == by_file


@pytest.mark.parametrize("command", [COMMANDS[0], COMMANDS[2], "simulate metabolism --person ngt --years 1"])
def test_common_commands_start_without_what_they_do_not_need(command: str) -> None:
    """Pint alone takes a sixth of a second of `simulate kidney`, SciPy's integrators and special functions, and pandas, as much each."""
    text = (
        "import sys; sys.argv[1:] = sys.argv[1].split()\n"
        "from betapod.cli.main import main\n"
        "try:\n    main()\n"
        "except SystemExit as stopped:\n    assert not stopped.code\n"
        "print(sorted({'pint', 'dask', 'scipy', 'pandas', 'pymare'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", text, command], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "[]"

"""What was skipped and why, in words at the end of a run; on a build machine no test may be skipped for want of a program."""

from __future__ import annotations

import gc
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from built_commands import build_once
from hypothesis import settings
from printed_numbers import FILE, PrintedNumbers, is_writing

# Hundreds of processes are started here. Where Python may not keep what it compiled, each of them, and each worker, would compile
# the package and the tests anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# No test is timed: on a busy machine an example may take any time.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

build_once()

# Nobody pulls the plug while tests run: to wait for the disk after each of thousands of files finds nothing. That files are written
# through before they get their names is seen in `tests/engine/test_store.py`, which puts a look-out in this place.
os.fsync = lambda _: None

#: Reasons that only say what the machine lacks and could have: where all is installed, such a skip is a failure.
PROGRAMS = ("Chromium", "Firefox", "Graphviz", "pdflatex", "wasm-ld", "ptxas")
STRICT = "BETAPOD_NO_SKIPS"


def reasons(reports: Iterable[Any]) -> Counter[str]:
    """Return how often each reason to skip was given."""
    found: Counter[str] = Counter()
    for report in reports:
        text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        found[text.removeprefix("Skipped: ")] += 1
    return found


def unwanted(found: Iterable[str]) -> list[str]:
    """Return the reasons that name a program that a build machine has to have."""
    return [reason for reason in found if any(program in reason for program in PROGRAMS)]


def _skipped(config: pytest.Config) -> Counter[str]:
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    return reasons(reporter.stats.get("skipped", ())) if reporter else Counter()


def pytest_collection_finish() -> None:
    """Leave what the collected tests are made of out of every search for garbage, and search seldom: it took a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(30_000, 20, 100)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run on a build machine that had to leave out tests of pages or drawings."""
    if os.environ.get(STRICT) and not hasattr(session.config, "workerinput") and unwanted(_skipped(session.config)):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the number of skipped tests by reason, 0 as well."""
    found = _skipped(config)
    terminalreporter.write_line(f"{found.total()} tests skipped")
    for reason, count in found.most_common():
        terminalreporter.write_line(f"    {count:5d}  {reason}")
    if os.environ.get(STRICT) and (bad := unwanted(found)):
        terminalreporter.write_line(f"a build machine must not skip these: {'; '.join(bad)}", red=True)


@pytest.fixture(scope="session")
def _printed_numbers() -> Iterator[dict[Path, PrintedNumbers]]:
    """Give the printed numbers of all folders, and write them at the end where that is asked for."""
    by_folder: dict[Path, PrintedNumbers] = {}
    yield by_folder
    for numbers in by_folder.values():
        if numbers.writing:
            numbers.write()


@pytest.fixture
def printed(request: pytest.FixtureRequest, _printed_numbers: dict[Path, PrintedNumbers]) -> Callable[..., None]:
    """Compare numbers with those that were printed for a test, see `printed_numbers`: ``printed("slope", found, rel=0.005)``."""
    folder, test = request.path.parent, f"{request.path.stem}::{request.function.__name__}"
    numbers = _printed_numbers.setdefault(folder, PrintedNumbers(folder / FILE, is_writing()))
    return lambda name, found, **within: numbers.check(test, name, found, **within)

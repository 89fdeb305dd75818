"""A sample of the public SBML Test Suite in both engines: events, pieces of time, everything else; none may be wrong."""

import collections
import tarfile
from pathlib import Path

import pytest
import sbml_suite as _suite

SUITE = Path(__file__).parents[3] / "shared" / "data" / "sbml_suite" / "sbml-suite-even.tar.xz"
#: Drawn by chance among the cases with events (half of them) and without, four of flux balance, and those that were wrong once.
CASES = """
28 130 136 192 196 198 220 232 262 272 276 350 354 356 358 360 364 366 372 380 396 398 402 516 530 566 700 748 756 790 846 878 884 894
958 1054 1082 1094 1190 1196 1200 1228 1240 1266 1284 1304 1408 1490 1492 1494 1502 1506 1510 1530 1540 1570 1578 1614 1620 1644 1658 1696
1780 1782 1784
"""

pytestmark = pytest.mark.skipif(not SUITE.is_file(), reason="the SBML Test Suite is not here")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Unpack the cases of the sample."""
    place = tmp_path_factory.mktemp("suite")
    wanted = {f"{int(number):05d}" for number in CASES.split()}
    with tarfile.open(SUITE) as archive:
        members = [m for m in archive.getmembers() if Path(m.name).parts[1:2] and Path(m.name).parts[1] in wanted]
        archive.extractall(place, members, filter="data")
    return sorted((place / "semantic").iterdir())


@pytest.mark.parametrize(("engine", "at_least"), [("reference", 65), ("ensemble", 56)])
def test_no_case_is_wrong(folders, engine, at_least):
    outcomes = [outcome for folder in folders for outcome in _suite.case((folder, frozenset(), engine, 30.0))]
    assert len(outcomes) == 65
    assert [o for o in outcomes if o[2] not in ("passed", "refused")] == []
    assert collections.Counter(o[2] for o in outcomes)["passed"] >= at_least

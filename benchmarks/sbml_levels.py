"""The SBML Test Suite in lower levels: ``python benchmarks/sbml_levels.py FOLDER OUT [--engine ensemble]``.

FOLDER holds the semantic cases in their highest level. Each is converted by libsbml, strictly, to every lower level and version that can hold
it; what cannot be converted without loss is left out. OUT receives the converted cases. All of them are run against the results that
the suite expects, and counted by level.
"""

from __future__ import annotations

import argparse
import collections
import shutil
import sys
from pathlib import Path

import libsbml

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

import sbml_suite

#: Levels and versions below the highest; Level 1 knows no more than reactions, rules and parameters.
LEVELS = ((3, 1), (2, 5), (2, 4), (2, 3), (2, 2), (2, 1), (1, 2))


def starts_by_time(document: libsbml.SBMLDocument) -> bool:
    """Return whether something starts from a function of time, which is a history where delays look back; a number is none."""
    return any(
        "symbols/time" in libsbml.writeMathMLToString(assignment.getMath())
        for assignment in document.getModel().getListOfInitialAssignments()
        if assignment.isSetMath()
    )


def lowered(folder: Path, out: Path) -> int:
    """Write the case in all lower levels that hold it; return how many they are."""
    name = folder.name
    files = {path.stem[-3:]: path for path in folder.glob(f"{name}-sbml-l?v?.xml")}
    if not files:
        return 0
    highest = max(files)
    target = out / name
    target.mkdir(parents=True, exist_ok=True)
    written = 0
    for level, version in LEVELS:
        if (level, version) >= (int(highest[0]), int(highest[2])):
            continue
        document = libsbml.readSBMLFromFile(str(files[highest]))
        lossy = (level, version) < (2, 2) and starts_by_time(document)
        if not lossy and document.setLevelAndVersion(level, version, True) and document.getModel() is not None:
            libsbml.writeSBMLToFile(document, str(target / f"{name}-sbml-l{level}v{version}.xml"))
            written += 1
    for ending in ("settings.txt", "results.csv"):
        shutil.copy(folder / f"{name}-{ending}", target)
    return written


def main() -> None:
    """Convert, run, and print what did not pass, and the counts by level."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--engine", choices=sorted(sbml_suite.ENGINES), default="reference")
    parser.add_argument("--limit", type=float, default=30.0, help="seconds of the processor that a case may take")
    options = parser.parse_args()
    folders = sorted(path for path in options.folder.iterdir() if path.is_dir() and path.name.isdigit())
    counts: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for folder in folders:
        if not lowered(folder, options.out):
            continue
        outcomes = sbml_suite.case((options.out / folder.name, frozenset(), options.engine, options.limit))
        for name, level, outcome, message in outcomes:
            counts[level][outcome] += 1
            if outcome != "passed":
                print(f"{name} {level} {outcome}: {message}", flush=True)
    words = ("passed", "refused", "wrong", "not finished")
    print(f"level  {'  '.join(words)}")
    for level in sorted(counts, reverse=True):
        print(f"{level:5}  {'  '.join(f'{counts[level][word]:{len(word)}}' for word in words)}")


if __name__ == "__main__":
    main()

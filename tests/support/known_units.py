"""The units that common commands of the package read, as pint reads them: ``python tests/support/known_units.py`` writes them anew."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys

from betapod.base import units

#: Commands whose start nobody should wait for.
COMMANDS = (
    "model list",
    "model show reference",
    "simulate kidney --years 1",
    "simulate reference --person t1d_dkd --years 1 --drug 'SGLT2 inhibitor' --cells 'UC-MSC 1e6/kg iv x3 q28d'",
    "ogtt --person t2d",
    "claims",
    "patient --age 61 --sex male --egfr 52 --uacr 380 --hba1c 8.4 --sbp 138 --weight 88 --on ramipril",
    "trial check dn61",
    "confront --study ATIRMA2014 -n 5 --fit-draws 0",
    "trust",
)
_RECORD = """
import json, shlex, sys
from betapod.base import units
asked = set()
measure = units.measured_by_pint
units.measured_by_pint = lambda readable, written="": asked.add(readable) or measure(readable, written)
units._known_units = dict
sys.argv = ["betapod", *shlex.split(sys.argv[1])]
from betapod.cli.main import main
try:
    main()
except SystemExit as stopped:
    assert not stopped.code, sys.argv
finally:
    print(json.dumps(sorted(asked)), file=sys.stderr)
"""


def read_by(command: str) -> list[str]:
    """Return the units that a command reads, as the registry spells them."""
    done = subprocess.run([sys.executable, "-c", _RECORD, command], capture_output=True, text=True, check=True)
    asked: list[str] = json.loads(done.stderr.splitlines()[-1])
    return asked


def written(readables: set[str]) -> str:
    """Return the file with some units; what is no unit is left out."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["unit", "scale", "dimensions"])
    for readable in sorted(readables):
        try:
            dimensions, scale = units.measured_by_pint(readable)
        except units.UnitError:
            continue
        writer.writerow([readable, repr(scale), " ".join(f"{name}^{power}" for name, power in dimensions)])
    return file.getvalue()


if __name__ == "__main__":
    units.KNOWN_UNITS.write_text(written({unit for command in COMMANDS for unit in read_by(command)}), encoding="utf-8")

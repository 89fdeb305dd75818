"""Bundles of synthetic people read, and damaged: ``python benchmarks/fhir_bundles.py FOLDER... [--damaged N]``.

FOLDER has FHIR R4 bundles (*.json), such as those of ``carebundle generate --profile ckd_stage3 --count 20 --seed 1 --out FOLDER``
(package carebundle, Apache-2.0; profile type2_diabetes as well). Every number that is taken is held against a small reader of its own, which
knows codes and units from the tables below and nothing of the package; eGFR against that of the bundle, which has it in whole numbers from a creatinine before that was rounded to 0.01 mg/dL. Then N bundles are damaged at random
places, in their values or in their bytes: each must be read or end in messages that name their place.
"""

from __future__ import annotations

import argparse
import collections
import json
import random
import resource
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

from betapod import read_labs
from betapod.base.errors import BetapodError

#: Code of LOINC -> what it measures, and what a number in each unit is multiplied by.
CODES: dict[str, tuple[str, dict[str, float]]] = {
    "2160-0": ("creatinine", {"mg/dL": 1.0}),
    "9318-7": ("uacr", {"mg/g": 1.0}),
    "4548-4": ("hba1c", {"%": 1.0}),
    "29463-7": ("weight", {"kg": 1.0}),
    "8302-2": ("height", {"cm": 1.0}),
    "8480-6": ("sbp", {"mm[Hg]": 1.0}),
    "8462-4": ("dbp", {"mm[Hg]": 1.0}),
    "17861-6": ("calcium", {"mg/dL": 1.0}),
    "1751-7": ("albumin", {"g/dL": 10.0}),
    "2028-9": ("bicarbonate", {"mmol/L": 1.0}),
    "2951-2": ("sodium", {"mmol/L": 1.0}),
    "2823-3": ("potassium", {"mmol/L": 1.0}),
    "3094-0": ("bun", {"mg/dL": 1.0}),
    "2345-7": ("glucose", {"mg/dL": 1 / 18.016}),
    "718-7": ("haemoglobin", {"g/dL": 1.0}),
    "2093-3": ("cholesterol", {"mg/dL": 1 / 38.67}),
    "2085-9": ("hdl", {"mg/dL": 1 / 38.67}),
    "13457-7": ("ldl", {"mg/dL": 1 / 38.67}),
    "2571-8": ("triglycerides", {"mg/dL": 1 / 88.57}),
}
EGFR = "98979-8"
#: Factors of laboratories have four digits.
TOLERANCE = 5e-4
#: Half a unit of the last digit that bundles have of eGFR and creatinine, and the steepest power of creatinine in CKD-EPI 2021.
ROUNDED_EGFR, ROUNDED_CREATININE, POWER = 0.5, 0.005, 1.2
NONSENSE = (
    None,
    "",
    "x",
    -1,
    0,
    1e308,
    1e-308,
    True,
    [],
    {},
    [None],
    {"coding": 3},
    "2025-99-99",
    10**400,
    "\ud800",
    "9" * 5000,
)


def numbers_of(document: Any) -> dict[str, float]:
    """Return the numbers of a bundle by what they measure."""
    found = {}
    for entry in document["entry"]:
        resource_ = entry["resource"]
        if resource_["resourceType"] != "Observation":
            continue
        for part in (resource_, *resource_.get("component", ())):
            code, quantity = part["code"]["coding"][0]["code"], part.get("valueQuantity")
            if quantity and code == EGFR:
                found["egfr"] = float(quantity["value"])
            elif quantity and code in CODES:
                name, factors = CODES[code]
                found[name] = float(quantity["value"]) * factors[quantity["code"]]
    return found


def compared(paths: list[Path]) -> int:
    """Read bundles, and return how many numbers are other than those of the small reader."""
    wrong, counts, apart, beyond = 0, collections.Counter[str](), [], 0
    for path in paths:
        labs, raw = read_labs(path), numbers_of(json.loads(path.read_text(encoding="utf-8")))
        apart.append(abs(labs.value("egfr") - raw["egfr"]))
        beyond += apart[-1] > ROUNDED_EGFR + POWER * raw["egfr"] * ROUNDED_CREATININE / raw["creatinine"]
        for name in labs.used:
            counts[name] += 1
            if name in raw and name != "egfr" and abs(labs.value(name) - raw[name]) > TOLERANCE * raw[name]:
                print(f"{path.name}: {name} {labs.value(name)}, {raw[name]} by the small reader")
                wrong += 1
        for name in raw.keys() - set(labs.used):
            print(f"{path.name}: {name} was not taken")
            wrong += 1
    taken = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
    print(f"{len(paths)} bundles read; taken: {taken}")
    near = sum(far <= ROUNDED_EGFR for far in apart)
    print(
        f"{wrong} numbers are wrong or were left; eGFR within 0.5 of the bundle's in {near} of {len(paths)}, at most {max(apart):.2f} apart;"
    )
    print(f"{beyond} are farther apart than rounding explains")
    return wrong + beyond


def damaged(text: str, chance: random.Random) -> bytes:
    """Return a bundle with one to three places damaged: values, or bytes."""
    if chance.random() < 0.2:
        content = bytearray(text.encode())
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(content))
            content[at : at + chance.randint(0, 3)] = bytes(chance.randrange(256) for _ in range(chance.randint(0, 3)))
        return bytes(content)
    document = json.loads(text)
    for _ in range(chance.randint(1, 3)):
        places: list[tuple[Any, Any]] = []
        waiting = [document]
        while waiting:
            node = waiting.pop()
            for key in list(node) if isinstance(node, dict) else range(len(node)):
                places.append((node, key))
                if isinstance(node[key], dict | list):
                    waiting.append(node[key])
        node, key = chance.choice(places)
        if isinstance(node, dict) and chance.random() < 0.3:
            del node[key]
        else:
            node[key] = chance.choice(NONSENSE)
    return json.dumps(document).encode()


def tried(paths: list[Path], count: int) -> int:
    """Damage bundles and read them; return how many ended in anything but labs or messages with a place."""
    chance, texts = random.Random(1), [path.read_text(encoding="utf-8") for path in paths]
    results, faults, slowest = collections.Counter[str](), 0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "labs.json")
        for _ in range(count):
            path.write_bytes(damaged(chance.choice(texts), chance))
            start = time.process_time()
            try:
                read_labs(path)
                results["read"] += 1
            except BetapodError as error:
                results["refused"] += 1
                if any(not problem.location.file for problem in error.problems):
                    print(f"no place: {error}")
                    faults += 1
            except Exception:
                traceback.print_exc()
                faults += 1
            slowest = max(slowest, time.process_time() - start)
    print(
        f"{count} damaged bundles: {results['read']} read, {results['refused']} refused, {faults} faults; slowest {slowest:.2f} s"
    )
    return faults


def large(paths: list[Path], size: int = 50_000_000) -> None:
    """Read one person of so many bytes as NDJSON: what their bundle has, again and again on earlier days."""
    document = json.loads(paths[0].read_text(encoding="utf-8"))
    resources = [entry["resource"] for entry in document["entry"]]
    lines = [json.dumps(one) for one in resources if one["resourceType"] == "Observation"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "labs.ndjson")
        with path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(one) + "\n" for one in resources)
            while file.tell() < size:
                file.writelines(f"{line}\n" for line in lines)
        start = time.process_time()
        read_labs(path)
        seconds, memory = time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{path.stat().st_size / 1e6:.0f} MB of NDJSON: {seconds:.1f} s of processor time, at most {memory:.0f} MB of memory"
        )


def main() -> int:
    """Do it all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--damaged", type=int, default=10_000)
    options = parser.parse_args()
    paths = sorted(path for folder in options.folders for path in folder.glob("*.json"))
    large(paths)
    return bool(compared(paths) + tried(paths, options.damaged))


if __name__ == "__main__":
    sys.exit(main())

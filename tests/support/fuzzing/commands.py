"""Command lines with one odd value, cheap enough to try by the thousand."""

from __future__ import annotations

import tempfile
from pathlib import Path

from .judge import command, in_time, judged
from .mutations import NUMBERS, WORDS, Choose, damaged_text, pick
from .readers import MODEL, PARAMETERS, PATIENTS

#: The place of the odd value is ``{}``; beside it a value that is right, damaged now and then instead.
COMMANDS: tuple[tuple[str, str], ...] = (
    ("simulate pk.txt --days {}", "2"),
    ("simulate pk.txt --years {}", "0.01"),
    ("simulate pk.txt --duration {}", "3 day"),
    ("simulate pk.txt --days 2 --step {}", "0.5 day"),
    ("simulate pk.txt --times {}", "0, 1, 2 day"),
    ("simulate pk.txt --days 1 --set {}", "k=0.5 1/day"),
    ("simulate pk.txt --days 1 --initial {}", "A=3 mg"),
    ("simulate pk.txt --days 3 --dose {}", "A=10 mg@0:1:2"),
    ("simulate pk.txt --days 3 --switch {}", "R=5@1/0.1"),
    ("simulate pk.txt --days 1 --outputs {}", "A,C"),
    ("simulate pk.txt --days 1 --rtol {}", "1e-6"),
    ("simulate pk.txt --days 1 --atol {}", "1e-9"),
    ("simulate pk.txt --days 1 --method {}", "BDF"),
    ("simulate pk.txt --days 1 --csv {}", "table.csv"),
    ("simulate {}", "pk.txt"),
    ("simulate pk.txt --days 1 -p {}", "pk.csv"),
    ("simulate reference --person {}", "t3d"),
    ("simulate reference --person t2d --scenario {}", "curent"),
    ("simulate reference --person t2d --drug {}", "metformi 2 g"),
    ("simulate reference --person t2d --cells {}", "UC-MSC 1e6/kg iw x3"),
    ("ogtt --person {}", "t9d"),
    ("ogtt --person t2d --glucose {}", "-75"),
    ("ogtt --person t2d --step {}", "0"),
    ("model check {}", "pk.txt"),
    ("model show pk.txt {}", "pk"),
    ("params list pk.txt --role {}", "assumed"),
    ("params list pk.txt --search {}", "vol"),
    ("params show pk.txt {}", "k"),
    ("ensemble run pk.txt -n {} --years 0.01 -o run --quiet", "3"),
    ("ensemble run pk.txt -n 3 --years {} -o run --quiet", "0.01"),
    ("ensemble run pk.txt -n 3 --years 0.01 --visits {} -o run --quiet", "0, 1 day"),
    ("ensemble run pk.txt -n 3 --years 0.01 --vary {} -o run --quiet", "k"),
    ("ensemble run pk.txt -n 3 --years 0.01 --seed {} -o run --quiet", "1"),
    ("ensemble run pk.txt -n 3 --years 0.01 --rtol {} -o run --quiet", "1e-4"),
    ("ensemble run pk.txt -n 3 --years 0.01 --shard {} -o run --quiet", "1/2"),
    ("ensemble run pk.txt -n 3 --years 0.01 -o {} --quiet", "run"),
    ("ensemble summary {}", "run"),
    ("evidence show {}", "PACKHAM2016"),
    ("evidence list --study {}", "ZANG2022"),
    ("evidence pool --endpoint eGFR --measure {}", "difference"),
    ("evidence pool --endpoint {}", "eGFR"),
    ("evidence list --overlay {}", "people.csv"),
    ("claims show {} --no-model", "B99"),
    ("claims --status {} --no-model", "contradicted"),
    ("confront --study {} --refused", "NOBODY2020"),
    ("trial check {}", "nothing.yaml"),
    ("trial new {}", "mine"),
    ("run {} -o run --quiet", "nothing"),
    ("run dn61 -r {} --design nothing -o run --quiet", "3"),
    ("resume {}", "run"),
    ("report {}", "run"),
    ("merge {}", "run"),
    ("patients check {}", "people.csv"),
    ("patients like people.csv --library {}", "no.npz"),
    ("validate --id {}", "V999"),
    ("cite {}", "kidny"),
    ("schema {}", "protocol"),
)


def prepared(folder: Path) -> None:
    """Write the files that the commands name."""
    (folder / "pk.txt").write_text(MODEL, encoding="utf-8")
    (folder / "pk.csv").write_text(PARAMETERS, encoding="utf-8")
    (folder / "people.csv").write_text(PATIENTS, encoding="utf-8")


def try_command(choose: Choose) -> str:
    """Run a command with an odd value and return "done" or "refused"; what was refused has written nothing.

    Raises
    ------
    Fault, Hang
        The answer is a traceback or another exit code, takes too long, or leaves files behind.
    """
    template, right = pick(choose, COMMANDS)
    kind = choose(3)
    value = pick(choose, NUMBERS) if kind == 0 else pick(choose, WORDS)
    if kind == 2:
        value = damaged_text(right, choose).decode("utf-8", "replace")[:4000]
    # A command line has no NUL, and a value must not lead out of the folder.
    value = (
        value.replace("\x00", "").replace("/", "_")
        if "-o {}" in template or "--csv {}" in template or "new {}" in template
        else value.replace("\x00", "")
    )
    arguments = [value if part == "{}" else part for part in template.split()]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        prepared(folder)
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        with in_time():
            answer = judged(command(arguments, folder))
        left = sorted(path.name for path in folder.iterdir() if path.name not in before)
        if answer.code == 2 and left:
            raise AssertionError(f"refused, yet it left {left}: betapod {' '.join(map(ascii, arguments))[:300]}")
        for name, content in before.items():
            if (folder / name).read_bytes() != content and "--csv" not in template:
                raise AssertionError(f"{name} was changed: betapod {' '.join(map(ascii, arguments))[:300]}")
    return "done" if answer.code == 0 else "refused"

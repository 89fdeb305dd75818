"""The command line as a user runs it: exit codes, standard output and standard error."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest

TOY = """
dS/dt = -k*S + feed   [mg/day]  substance
S(0)  = S0            [mg]      substance
C     = S/V           [mg/L]    concentration
reads feed
events:
low when S < S_low then stop "almost gone"
"""
TABLE = """id,label,value,unit,low,high,distribution,role,source,locator,grade,note
k,elimination,0.5,1/day,0.1,1,lognormal,assumed,,,D,
S0,first dose,10,mg,1,100,fixed,assumed,,,D,
S_low,little,0.1,mg,,,fixed,assumed,,,D,
V,volume,5,L,1,10,fixed,assumed,,,D,
feed,intake,0,mg/day,0,10,fixed,input,,,D,
"""


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    path = tmp_path / "toy.txt"
    path.write_text(TOY, encoding="utf-8")
    path.with_suffix(".csv").write_text(TABLE, encoding="utf-8")
    return path


@dataclass
class Done:
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


class Command(Protocol):
    def __call__(self, *arguments: object) -> Done: ...


@pytest.fixture
def betapod(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run the command line in this process."""
    from betapod.cli.main import main

    def run(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["betapod", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main()
        written = capsys.readouterr()
        return Done(int(stopped.value.code or 0), written.out, written.err)

    return run


def process(*arguments: object, **environment: str) -> Done:
    """Run the command line as a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "betapod", *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1", **environment},
        timeout=120,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def document(done: Done) -> dict[str, Any]:
    """Return the one JSON document on standard output."""
    found = json.loads(done.stdout, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert found["schema_version"] == 1
    assert isinstance(found, dict)
    return found


def test_help_and_version() -> None:
    done = process("--help")
    assert done.returncode == 0
    for verb in ("simulate", "model", "params", "cite", "doctor", "demo", "ensemble", "merge"):
        assert verb in done.stdout
    assert process("--version").stdout.startswith("betapod ")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["model", "show", "kindey"], ["unknown-model", "Did you mean 'kidney'"]),
        (["model", "show", "none.xml"], ["unreadable-file", "none.xml"]),
        (["model", "export", "kidney", "--as", "latx"], ["unknown-format", "Did you mean 'latex'"]),
        (["params", "show", "kidney", "GFR", "W00"], ["'GFR' is computed", "'W00'", "2 problems"]),
        (["simulate", "kidney", "--set", "G"], ["NAME=VALUE"]),
        (["simulate", "kidney", "--method", "Euler"], ["Euler", "LSODA"]),
        (["simulate", "kidney", "--years", "1", "--days", "2"], ["exclude each other"]),
        (["simulate", "kidney", "--switch", "GFR0=3@2"], ["does not change with time: use --set"]),
        (["simulate"], ["Missing argument"]),
        (["simulate", "kidney", "--yers", "2"], ["--years"]),
        (["frobnicate"], ["frobnicate"]),
        (["simulat"], ["Did you mean 'simulate'?"]),
        (["plot"], ["evidence plot'", "'betapod ensemble plot'"]),
        (["contest"], ["'betapod claims contest'"]),
        (["evidence", "list", "--endpoint", "HbA1"], ["Did you mean 'HbA1c'", "'betapod evidence terms endpoint'"]),
        (["confront", "--study", "SKYLR2015"], ["SKYLER2015", "'betapod evidence terms study'"]),
    ],
)
def test_bad_input_is_explained_with_exit_code_2(arguments: list[str], expected: list[str], betapod: Command) -> None:
    done = betapod(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    for text in expected:
        assert text in done.stderr


def test_everything_wrong_with_a_command_is_reported_at_once(betapod: Command) -> None:
    done = betapod(
        *("simulate", "kidney", "--set", "G=3 kg", "--set", "Gx=1", "--dose", "V_F=1@2", "--dose", "V_E=1"),
        *("--switch", "e_ARBB=0.6@5", "--outputs", "GRF", "--step", "0", "--initial", "MAPP=3", "--plot", "a.pdf"),
    )
    assert done.returncode == 2
    assert "9 problems" in done.stderr
    for text in (
        "wrong-unit",
        "'Gx'",
        "'V_F'",
        "STATE=AMOUNT@TIME[/DURATION][:EVERY:MORE][:ss]",
        "'e_ARB'",
        "'GFR'",
        "--step 0",
        "'MAP'",
        "png or svg",
    ):
        assert text in done.stderr


def test_errors_are_documents_too(betapod: Command) -> None:
    done = betapod("simulate", "kidney", "--set", "Gx=1", "--json")
    assert done.returncode == 2
    (problem,) = document(done)["error"]["problems"]
    assert problem["kind"] == "unknown-parameter"


def test_colour_only_where_it_is_wanted() -> None:
    arguments = ("model", "show", "x.xml")
    assert "\x1b[" not in process(*arguments).stderr
    assert "\x1b[" not in process(*arguments, FORCE_COLOR="1", NO_COLOR="1").stderr
    assert "\x1b[" in process(*arguments, FORCE_COLOR="1").stderr


def test_simulating_a_text_model(toy: Path, betapod: Command) -> None:
    done = betapod("simulate", toy, "--days", 2, "--step", "1 day", "--outputs", "S,C")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "time [day],S [mg],C [mg/L]"
    last = [float(cell) for cell in lines[-1].split(",")]
    assert last == pytest.approx([2.0, 3.678794, 0.735759], rel=1e-5)


def test_schedule_units_and_json(toy: Path, betapod: Command) -> None:
    done = betapod(
        *(
            "simulate",
            toy,
            "--times",
            "0,0.999,24.024 h,3",
            "--set",
            "k=0.0208333333333 1/h",
            "--initial",
            "S=0.02 g",
            "--json",
        ),
        *("--dose", "S=5 mg@1:1:1", "--switch", "feed=2@1 day/1", "--outputs", "S"),
    )
    found = document(done)
    assert found["time"]["values"] == pytest.approx([0, 0.999, 1.001, 3])
    values = found["quantities"][0]["values"]
    k = 0.5
    first = 20 * 2.718281828459045 ** (-k)
    assert values[:3] == pytest.approx([20, first, first + 5], rel=2e-3)
    assert [dose["addl"] for dose in found["schedule"]["doses"]] == [1]
    assert found["solver"]["method"] == "LSODA"


def test_a_terminal_event_and_an_implausible_value_are_told(toy: Path, betapod: Command) -> None:
    done = betapod("simulate", toy, "--days", 30, "--set", "k=2", "--json")
    found = document(done)
    assert "k = 2 1/day is outside its plausible range" in done.stderr
    assert "almost gone" in done.stderr
    assert found["ended"]["name"] == "low"
    assert found["ended"]["time"] == pytest.approx(2.302585, rel=1e-4)
    assert found["quantities"][0]["values"][-1] is None


def test_files_are_written_whole(toy: Path, tmp_path: Path, betapod: Command) -> None:
    done = betapod("simulate", toy, "--days", 5, "--csv", tmp_path / "out.csv", "--plot", tmp_path / "out.png")
    assert done.returncode == 0
    assert (tmp_path / "out.csv").read_text().startswith("time [day],S [mg]")
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")
    done = betapod("simulate", toy, "--days", 5, "--csv", tmp_path / "none" / "out.csv")
    assert done.returncode == 2
    assert "cannot-write" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.csv", "out.png", "toy.csv", "toy.txt"]


def test_check_accepts_text_python_and_names(toy: Path, tmp_path: Path, betapod: Command) -> None:
    module = tmp_path / "mine.py"
    module.write_text(
        "from betapod import Submodel\n\n\nclass Pool(Submodel):\n    '''A pool.'''\n\n"
        "    equations = '''\n    dS/dt = -k*S [mg/day] substance\n    S(0) = S0 [mg] substance\n    '''\n"
    )
    done = betapod("model", "check", toy, module, "kidney", "-p", toy.with_suffix(".csv"), "--json")
    # The toy's table does not fit the kidney, which is said; the others are not blamed.
    assert done.returncode == 2
    done = betapod("model", "check", toy, module, "-p", toy.with_suffix(".csv"), "--json")
    assert done.returncode == 0, done.stderr
    assert [entry["states"] for entry in document(done)["models"]] == [1, 1]


def test_check_reports_all_problems_of_all_files_in_place(
    toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, betapod: Command
) -> None:
    toy.write_text(TOY.replace("S/V ", "S*V ").replace("+ feed", "+ fed"), encoding="utf-8")
    bad = tmp_path / "bad.py"
    bad.write_text("x = (\n")
    monkeypatch.chdir(tmp_path)
    done = betapod("model", "check", "toy.txt", "bad.py")
    assert done.returncode == 2
    assert "toy.txt:2:16: unknown-name" in done.stderr
    assert "toy.txt:4:" in done.stderr and "wrong-unit" in done.stderr
    assert "bad.py:1:" in done.stderr and "bad-python" in done.stderr


def test_export_takes_the_format_from_the_name(toy: Path, tmp_path: Path, betapod: Command) -> None:
    for name, start in (
        ("m.tex", r"\documentclass"),
        ("m.html", "<!doctype html>"),
        ("m.dot", "digraph"),
        ("m.json", "{"),
    ):
        assert betapod("model", "export", toy, "-o", tmp_path / name).returncode == 0
        assert (tmp_path / name).read_text(encoding="utf-8").startswith(start)
    done = betapod("model", "export", toy, "-o", tmp_path / "m.pdf")
    assert done.returncode == 2 and not (tmp_path / "m.pdf").exists()


def test_params_list_makes_a_table_that_is_read_back(tmp_path: Path, betapod: Command) -> None:
    table = tmp_path / "mine.csv"
    assert betapod("params", "list", "kidney", "--search", "membrane", "--csv", table).returncode == 0
    done = betapod("params", "diff", "kidney", table, "--json")
    assert document(done)["differences"] == []
    text = table.read_text().replace("W0,", "W0,", 1)
    table.write_text(text)
    rows = document(betapod("params", "list", "kidney", "--role", "literature", "--json"))["parameters"]
    assert rows and all(row["role"] == "literature" and row["source"] for row in rows)


def test_cite_gives_works(betapod: Command) -> None:
    done = betapod("cite", "kidney")
    assert done.returncode == 0
    assert "@" in done.stdout and "Values that these works state" in done.stdout


def test_doctor_without_simulation(betapod: Command) -> None:
    found = document(betapod("doctor", "--quick", "--json"))
    assert found["ok"] is True
    whats = {finding["what"] for finding in found["findings"]}
    assert {"betapod", "numpy", "cores", "vector width", "cache folder"} <= whats


def test_a_reader_that_goes_away_is_no_error(toy: Path) -> None:
    command = f'"{sys.executable}" -m betapod params list kidney | head -n 1'
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, timeout=60, check=False
    )
    assert "Traceback" not in done.stderr and "Error" not in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_interrupted(tmp_path: Path) -> None:
    # On a busy machine Python may still be importing, before anyone can catch the signal: then wait longer.
    for patience in (1.5, 4.0, 10.0):
        started = subprocess.Popen(
            [sys.executable, "-m", "betapod", "demo", "--out", str(tmp_path / "demo")],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # Whoever runs the tests in the background may have made them deaf to it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        time.sleep(patience)
        started.send_signal(signal.SIGINT)
        _, error = started.communicate(timeout=30)
        if started.returncode != -signal.SIGINT:
            break
    assert started.returncode == 130, error
    assert not (tmp_path / "demo" / "report.html").exists()


def test_completion_knows_names() -> None:
    def complete(words: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", "import sys; sys.argv = ['betapod']; from betapod.cli.main import main; main()"],
            env={
                **os.environ,
                "_BETAPOD_COMPLETE": "complete_bash",
                "COMP_WORDS": words,
                "COMP_CWORD": str(len(words.split()) - 1),
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.stdout.split()

    assert complete("betapod simulate kid") == ["kidney"]
    assert "GFR,UACR" in complete("betapod simulate kidney --outputs GFR,UA")
    assert "dMAP=" in complete("betapod simulate kidney --set dM")


SBML = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2">
  <model id="decay"{units}>
    <listOfParameters>
      <parameter id="x" value="8" constant="false"/><parameter id="k" value="0.6931471805599453" constant="true"/>
    </listOfParameters>
    <listOfRules><rateRule variable="x"><math xmlns="http://www.w3.org/1998/Math/MathML">
      <apply><times/><apply><minus/><ci>k</ci></apply><ci>x</ci></apply></math></rateRule></listOfRules>
  </model>
</sbml>
"""


def test_imported_models_keep_their_unit_of_time(tmp_path: Path, betapod: Command) -> None:
    path = tmp_path / "decay.xml"
    path.write_text(SBML.format(units=' timeUnits="second"'), encoding="utf-8")
    done = betapod("simulate", path, "--duration", "0.05 min", "--step", 1, "--outputs", "x")
    assert done.stdout.splitlines()[0].startswith("time [s")
    assert [float(line.split(",")[1]) for line in done.stdout.splitlines()[1:]] == pytest.approx([8, 4, 2, 1], rel=1e-5)
    path.write_text(SBML.format(units=""), encoding="utf-8")
    assert betapod("simulate", path, "--years", 1).returncode == 2
    found = document(betapod("simulate", path, "--duration", 3, "--step", 3, "--json"))
    assert found["time"] == {"unit": "1", "values": [0.0, 3.0]}
    assert betapod("model", "check", path).returncode == 0


def test_sbml_export_is_read_back(toy: Path, tmp_path: Path, betapod: Command) -> None:
    assert betapod("model", "export", toy, "-o", tmp_path / "toy.xml").returncode == 0
    done = betapod("simulate", tmp_path / "toy.xml", "--duration", 2, "--step", 2, "--outputs", "S,C")
    last = [float(cell) for cell in done.stdout.splitlines()[-1].split(",")]
    assert last == pytest.approx([2.0, 3.678794, 0.735759], rel=1e-5)


def test_show_on_a_terminal_is_dense(toy: Path, monkeypatch: pytest.MonkeyPatch, betapod: Command) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("NO_COLOR", "1")
    from betapod.cli.printing import print_model
    from betapod.cli.shared import model_from, out
    from betapod.model.printing.document_layout import sheet_of

    out.cache_clear()
    with out().capture() as captured:
        print_model(sheet_of(model_from(str(toy))), out())
    out.cache_clear()
    lines = captured.get().splitlines()
    assert any(line.startswith("dS/dt = -k*S + feed  [mg/day]  substance") for line in lines)
    assert any("low when S < S_low then stop  almost gone" in line for line in lines)


def test_doctor_compares_with_known_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    from betapod.cli import installation as doctor

    monkeypatch.setattr(doctor, "GOLDEN", {"GFR": 99.36, "MAP": 93.14})
    assert doctor._self_test().ok is True
    monkeypatch.setattr(doctor, "GOLDEN", {"GFR": 98.4, "MAP": 93.14})
    wrong = doctor._self_test()
    assert wrong.ok is False and "(GFR; tolerance" in wrong.found


def test_doctor_knows_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    from types import SimpleNamespace

    from betapod.base.errors import Problem
    from betapod.calibration import install_fit, installed_tables
    from betapod.cli import installation as doctor
    from betapod.physiology import installed_fits

    def fit(model: str | None) -> SimpleNamespace:
        return SimpleNamespace(name="2026.1", identity={"model": model, "in tables": True}, unknowns=(1, 2))

    monkeypatch.setattr(installed_tables, "edited_tables", list)
    monkeypatch.setattr(installed_fits, "list_fits", list)
    assert doctor._fit().ok is None and "none is installed" in doctor._fit().found
    monkeypatch.setattr(installed_fits, "list_fits", lambda: ["2026.1"])
    monkeypatch.setattr(installed_fits, "load_fit", lambda name: fit(None))
    assert doctor._fit().ok is True and "2 unknowns, its values are in the tables" in doctor._fit().found
    monkeypatch.setattr(installed_fits, "load_fit", lambda name: fit("another"))
    assert doctor._fit().ok is None and "older than the model" in doctor._fit().found
    edited = Problem("edited-table", "h_N0 (value) was changed since a fit wrote it", found="0.004", expected="0.0055")
    monkeypatch.setattr(installed_tables, "edited_tables", lambda: [edited])
    assert doctor._fit().ok is False and "0.004 for 0.0055" in doctor._fit().found
    monkeypatch.setattr(install_fit, "interrupted_installations", lambda: ["2026.1"])
    assert doctor._fit().ok is False and "betapod fit install FOLDER 2026.1" in doctor._fit().get


def test_doctor_knows_the_packages_of_the_project() -> None:
    import re
    import tomllib

    from betapod.cli.installation import EXTRAS, NEEDED

    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    def names(texts: list[str]) -> set[str]:
        return {name for text in texts if (name := re.split("[<>=\\[]", text)[0]) != "betapod"}

    assert set(NEEDED) == names(project["dependencies"])
    extras = {name: names(texts) for name, texts in project["optional-dependencies"].items() if name != "dev"}
    assert {name: set(packages) & extras[name] for name, (packages, _) in EXTRAS.items()} == extras


def test_doctor_says_how_to_get_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from betapod.cli import installation as doctor

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(doctor, "_version", lambda package: None if package in ("matplotlib", "scipy") else "1")
    found = {each.what: each for each in doctor.examine(simulate=False)}
    assert found["scipy"].ok is False and found["scipy"].get == "pip install scipy"
    assert found["extra plot"].ok is None and found["extra plot"].get == 'pip install "betapod[plot]"'
    assert "brew install graphviz" in found["Graphviz"].get and "apt install graphviz" in found["Graphviz"].get
    (tmp_path / "brew").touch(mode=0o755)
    (tmp_path / "dot").touch(mode=0o755)
    found = {each.what: each for each in doctor.examine(simulate=False)}
    assert found["Graphviz"].ok is True and found["Graphviz"].get == ""
    assert found["Chromium"].get == "brew install --cask chromium"
    assert found["compiler"].ok is True and found["compiler"].found.startswith("LLVM ")


@dataclass(frozen=True)
class Shelf:
    """A group of options."""

    depth: float = 2.0
    label: str = "top"


def test_groups_of_options_are_spelt_out_in_their_place() -> None:
    import inspect

    from betapod.cli.options import spelt_out

    seen = []

    @spelt_out
    def verb(name: str, *, shelf: Shelf, loud: bool = False) -> None:
        seen.append((name, shelf, loud))

    options = inspect.signature(verb).parameters
    assert list(options) == ["name", "depth", "label", "loud"]
    assert options["name"].default is inspect.Parameter.empty
    assert (options["depth"].default, options["depth"].annotation) == (2.0, float)
    verb(name="cup", depth=3.0, label="low", loud=True)
    assert seen == [("cup", Shelf(3.0, "low"), True)]


def test_every_text_is_checked_before_anybody_is_grown(betapod: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    from betapod.person import coupled_person

    def grown(*_: object) -> None:
        raise AssertionError("somebody was grown before the texts were checked")

    monkeypatch.setattr(coupled_person, "typical_patient", grown)
    done = betapod(
        *("simulate", "reference", "--person", "t2d_late", "--scenario", "curent", "--drug", "metformn 2 g"),
        *(
            "--cells",
            "stem cells 100 million",
            "--set",
            "Gx=1",
            "--outputs",
            "GFRR",
            "--dose",
            "ZZ=1@0",
            "--method",
            "LS",
        ),
    )
    assert done.returncode == 2
    assert "8 problems" in done.stderr
    for text in ("'current-evidence'", "'metformin'", "'stem cells'", "'Gx'", "'GFR'", "'ZZ'", "'LSODA'"):
        assert text in done.stderr.replace("none, current-evidence,", "'current-evidence'")
    assert betapod("simulate", "reference", "--person", "t2d_lat").returncode == 2


def test_an_order_of_cells_is_said_as_it_was_understood(betapod: Command) -> None:
    order = "UC-MSC 1e6/kg iv x3 q28d"
    done = betapod("simulate", "reference", "--cells", order, "--days", "1", "--step", "1", "--outputs", "GFR")
    assert done.returncode == 0
    assert "3 infusions of 75 million UC-MSC, iv, on days 0, 28, 56; their effects: current-evidence" in done.stderr


def test_of_thousands_of_problems_the_first_are_printed_and_json_has_all(tmp_path: Path, betapod: Command) -> None:
    rows = "".join(f"k{n},,one,1/day,,,fixed,assumed,,,D,\n" for n in range(3000))
    table = tmp_path / "bad.csv"
    table.write_text(f"id,label,value,unit,low,high,distribution,role,source,locator,grade,note\n{rows}")
    done = betapod("params", "list", "topp2000", "-p", table)
    assert done.returncode == 2
    assert done.stderr.count("bad.csv:") == 200 and done.stderr.rstrip().endswith(
        "; the first 200 are shown, --json has all"
    )
    found = document(betapod("params", "list", "topp2000", "-p", table, "--json"))
    assert len(found["error"]["problems"]) >= 3000


def test_the_effect_of_cells_is_shown_against_the_same_without_them(betapod: Command) -> None:
    """F27: with a drug beside, a fall looked like that of the cells."""
    given = (
        "--person",
        "t2d_micro",
        "--drug",
        "ACE inhibitor",
        "--years",
        "1",
        "--step",
        "0.5 year",
        "--outputs",
        "UACR",
    )
    cells = ("--cells", "UC-MSC 1e6/kg iv x3 q28d", "--scenario", "none")
    with_cells = document(betapod("simulate", "reference", *given, *cells, "--json"))
    alone = document(betapod("simulate", "reference", *given, "--scenario", "none", "--json"))
    assert "without_cells" not in alone
    last = alone["quantities"][0]["values"][-1]
    assert with_cells["without_cells"]["UACR"] == pytest.approx(last, rel=1e-6)
    # Cells that do no good change nothing.
    assert with_cells["quantities"][0]["values"][-1] == pytest.approx(last, rel=1e-4)
    claimed = document(betapod("simulate", "reference", *given, *cells[:2], "--scenario", "seed-claims", "--json"))
    assert claimed["quantities"][0]["values"][-1] < 0.96 * claimed["without_cells"]["UACR"]


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (("kidney", "--person", "t2d"), "no-metabolism"),
        (("topp2000", "--person", "t2d"), "no-metabolism"),
        (("kidney", "--cells", "UC-MSC 1e6/kg iv"), "no-cells"),
        (("metabolism", "--person", "t2d", "--scenario", "none"), "no-cells"),
    ],
)
def test_what_a_model_cannot_take_is_refused_before_a_history_is_simulated(
    words: tuple[str, ...], kind: str, betapod: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    from betapod.person import coupled_person

    def grown(*_: object) -> None:
        raise AssertionError("a history was simulated")

    monkeypatch.setattr(coupled_person, "_grow", grown)
    done = betapod("simulate", *words, "--days", "1")
    assert done.returncode == 2
    assert kind in done.stderr and "reference" in done.stderr


def test_a_test_of_a_changed_person(betapod: Command, tmp_path: Path) -> None:
    """Fewer beta cells, a flatter C-peptide; a parameter holds for the whole history, which ends at the same HbA1c."""

    def tested(*more: object) -> dict[str, float]:
        found = document(betapod("ogtt", "--person", "ngt", *more, "--json"))
        return {name: index["value"] for name, index in found["indices"].items()}

    usual, fewer = tested(), tested("--set", "beta_mass=0.5")
    assert fewer["stimulated_C_peptide"] < usual["stimulated_C_peptide"]
    assert fewer["glucose_2h"] > usual["glucose_2h"] + 1.0
    done = betapod("clamp", "--person", "t2d", "--set", "sI_drug=2", "--json")
    assert document(done)["indices"]["M"]["value"] > document(betapod("clamp", "--person", "t2d", "--json"))["indices"]["M"]["value"]  # fmt: skip
    done = betapod("ogtt", "--set", "bta_mass=1", "--set", "age=50 kg", "--person", "t2d", "--plot", "a.pdf")
    assert done.returncode == 2 and "unknown-format" in done.stderr
    done = betapod("ogtt", "--set", "bta_mas=1", "--set", "age=50 kg", "--person", "t2d")
    assert done.returncode == 2 and "2 problems" in done.stderr
    done = betapod("mmtt", "--plot", tmp_path / "m.svg", "--csv", tmp_path / "m.csv")
    assert done.returncode == 0
    assert (tmp_path / "m.csv").read_text(encoding="utf-8").startswith("time [min],G [mmol/L],insulin [pmol/L]")
    assert "C-peptide in plasma" in (tmp_path / "m.svg").read_text(encoding="utf-8")

"""Problem files and tables of measurements: what is read, and everything that is wrong at once, with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from betapod import Schedule
from betapod.base.errors import BetapodError
from betapod.calibration.individual.individual_examples import FILES, write_individual_example
from betapod.calibration.individual.individual_problem import IndividualProblem, read_individual_problem
from betapod.calibration.individual.person_parameter import PersonParameter

MODEL = """
reads intake [mmol/day], G_b [mmol/L]
dG/dt = (intake - U*(G - G_b))/V   [mmol/L/day]  glucose
G(0)  = G0                         [mmol/L]      glucose
I     = slope*G                    [mU/L]        insulin
"""
VALUES = "id,label,value,unit,low,high\nintake,,0,mmol/day,,\nG_b,,5,mmol/L,,\nU,,200,L/day,20,2000\nV,,15,L,5,30\nG0,,5,mmol/L,,\nslope,,2,mU/mmol,,\n"
PROBLEM = """kind: individual
model: m.txt
table: t.csv
observables:
  glucose: {output: G, error: {proportional: 5 %, additive: 2 mg/dL}}
  insulin: {output: I, error: proportional}
fit:
  U: {prior: table}
  G0: {}
"""
TABLE = """id,time [min],observable,value,unit,dose G [mmol/L],V [L]
a,0,glucose,90,mg/dL,8,14
a,30,glucose,200,mg/dL,,14
a,30,insulin,20,mU/L,,14
a,60,glucose,8.1,mmol/L,,14
b,0,glucose,5.0,mmol/L,7,16
b,45,glucose,NA,mmol/L,,16
b,60,glucose,7.2,mmol/L,,16
"""


def read(folder: Path, table: str = TABLE, problem: str = PROBLEM, model: str = MODEL) -> IndividualProblem:
    for name, text in (("m.txt", model), ("m.csv", VALUES), ("t.csv", table), ("p.yaml", problem)):
        (folder / name).write_text(text, encoding="utf-8")
    return read_individual_problem(folder / "p.yaml")


def test_what_is_read(tmp_path: Path) -> None:
    problem = read(tmp_path)
    first, second = problem.people
    assert (first.name, second.name, len(first), len(second)) == ("a", "b", 4, 2)
    assert first.values[0] == pytest.approx(90 / 18.016, rel=1e-3) and first.values[2] == 20.0
    assert list(first.observable) == [0, 0, 1, 0]
    assert first.times[1] == pytest.approx(30 / 1440)
    assert first.covariates == {"V": 14.0} and second.schedule.doses[0].amount == 7.0
    assert problem.notes == ("measurements that were not made: 1, empty cells",)
    glucose, insulin = problem.observables
    assert glucose.error.additive == pytest.approx(2 / 18.016, rel=1e-3) and glucose.error.form == "combined"
    assert insulin.error.estimated and not glucose.error.estimated
    uptake, start = problem.parameters
    assert (uptake.transform, uptake.prior_low, uptake.prior_high) == ("log", 20.0, 2000.0)
    assert not start.has_prior and start.low == 0.0


def test_a_wide_table_with_headings_of_its_own(tmp_path: Path) -> None:
    table = "Subject;t;glucose;insulin;comment\nx;-10;5,1;10;fasting\nx;0;5,3;;\nx;30;8,4;60;\n"
    problem = PROBLEM + (
        "begin: -10 min\ncolumns: {Subject: id, t: 'time [min]', glucose: 'glucose [mmol/L]', insulin: 'insulin [mU/L]', comment: ignore}\n"
        "schedule: {doses: [{state: G, amount: 10 mmol/L, time: 10 min}], switches: [{input: intake, value: 3 mmol/day, time: 1 h}]}\n"
    )
    read_problem = read(tmp_path, table, problem)
    person = read_problem.people[0]
    assert list(person.values) == [5.1, 10.0, 5.3, 8.4, 60.0]
    assert person.times[0] == 0.0 and person.times[-1] == pytest.approx(40 / 1440)
    assert person.schedule.doses[0].time == pytest.approx(10 / 1440) and person.schedule.switches[0].input == "intake"
    assert "read as separated by semicolons" in read_problem.notes


def test_an_input_that_follows_a_column(tmp_path: Path) -> None:
    table = "id,time [h],glucose [mmol/L],course intake [mmol/day]\nx,0,5,0\nx,2,6,12\nx,3,7,\nx,4,7,4\n"
    switches = read(tmp_path, table).people[0].schedule.switches
    assert [(s.value, round(s.time * 24, 9), round(s.width * 24, 9)) for s in switches] == [
        (0, 0, 0),
        (12, 0, 2),
        (4, 2, 2),
    ]
    segments = Schedule((), switches).segments({"intake": 0.0}, 4 / 24)
    assert [segment.values["intake"] for segment in segments] == pytest.approx([0.0, 12.0])


def test_everything_wrong_with_a_table_at_once(tmp_path: Path) -> None:
    table = (
        "id,time [min],observable,value,unit,dose G [mmol/L],V [L]\n"
        "a,0,glucose,90,kg,8,14\n"
        "a,-5,glucose,200,mg/dL,,14\n"
        "a,30,insuline,20,mU/L,,14\n"
        ",60,glucose,8.1,mmol/L,,14\n"
        "a,60,glucose,<2,mmol/L,,14\n"
        'a,70,"glucose",high,mmol/L,,14\n'
        "a,,glucose,7,mmol/L,,14\n"
        "a,80,glucose,7,mmol/L,-3,15\n"
    )
    with pytest.raises(BetapodError) as caught:
        read(tmp_path, table)
    places = {(problem.kind, problem.location.line, problem.location.column) for problem in caught.value.problems}
    assert {
        ("bad-time", 3, 3),
        ("unknown-observable", 4, 6),
        ("missing-id", 5, 1),
        ("censored-value", 6, 14),
        ("bad-number", 7, 16),
        ("missing-time", 8, 3),
        ("bad-dose", 9, 23),
        ("covariate-changes", 9, 26),
    } <= places
    assert any(line == 2 and column == 16 for _, line, column in places)
    text = str(caught.value)
    assert "Did you mean 'insulin'?" in text and "'begin'" in text


@pytest.mark.parametrize(
    ("header", "kind", "words"),
    [
        ("id,time,observable,value,unit,dose G [mmol/L],V [L]", "missing-unit", "time [day]"),
        ("id,time [min],observable,value,unit,dose H [mmol/L],V [L]", "unknown-name", "not a state"),
        ("id,time [min],observable,value,unit,dose G [mmol/L],W", "unknown-column", "'ignore'"),
        ("id,time [min],observable,value,unit,dose G [mmol/L],W [L]", "unknown-column", 'columns: {"W [L]": ...}'),
        ("id,time [min],observable,value,unit,course V [L],W [L]", "unknown-name", "'reads V [L]'"),
        ("who,time [min],observable,value,unit,dose G [mmol/L],V [L]", "missing-column", "'id'"),
        ("id,time [min],observable,value,unit,dose G [mmol/L],id", "duplicate-column", "two columns"),
        ("id,time [min],observable,value,V [L],dose G [mmol/L],unit", "bad-number", "not a number"),
        ("id,time [min],observable,value,unit,dose G [mmol/L],U [L/day]", "given-twice", "is fitted"),
    ],
)
def test_headings_that_mean_nothing(header: str, kind: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(BetapodError) as caught:
        read(tmp_path, TABLE.replace(TABLE.partition("\n")[0], header))
    assert kind in caught.value.kinds and words in str(caught.value)


def test_a_unit_is_wrong_where_it_stands(tmp_path: Path) -> None:
    long = "id,time [min],observable,value [kg]\nA,0,glucose,5\nA,5,glucose,4\n"
    in_rows = "id,time [min],observable,value,unit\nA,0,glucose,5,mmol/L\nA,5,glucose,4,kg\n"
    for table, line, column in ((long, 1, 26), (in_rows, 3, 15)):
        with pytest.raises(BetapodError) as caught:
            read(tmp_path, table)
        (problem,) = [problem for problem in caught.value.problems if problem.kind == "wrong-unit"]
        assert (problem.location.line, problem.location.column) == (line, column)


@pytest.mark.parametrize(
    ("old", "new", "kind", "line", "words"),
    [
        ("kind: individual", "kind: individual\nlevels: 0.9", "unknown-key", 2, "level"),
        ("output: G,", "output: GG,", "unknown-name", 5, "Did you mean 'G'?"),
        ("U: {prior: table}", "UU: {}", "unknown-name", 8, "not a parameter"),
        ("G0: {}", "G0: {start: 90}", "missing-unit", 9, "90 mmol/L"),
        ("G0: {}", "G0: {start: 90 kg}", "wrong-unit", 9, "kg"),
        ("G0: {}", "G0: {low: 8 mmol/L}", "bad-start", 9, "8"),
        ("G0: {}", "G0: {low: -1 mmol/L}", "impossible-value", 9, "0"),
        ("G0: {}", "G0: {prior: table}", "no-prior", 9, "plausible range"),
        ("G0: {}", "slope: {transform: logit}", "bad-transform", 9, "between 0 and 1"),
        ("error: proportional}", "error: proportinal}", "unknown-choice", 6, "error cannot be 'proportinal'"),
        ("error: proportional}", "error: {additiv: 2 mU/L}}", "unknown-key", 6, "'additive'"),
        ("G0: {}", "G0: {start: [8]}", "wrong-type", 9, "start: this is no number"),
        ("table: t.csv", "table: t.csv\nset: {V: 12 L, slop: 3}", "unknown-parameter", 4, "slope"),
        ("table: t.csv", "table: t.csv\ncolumns: {dose G: ignore}", "no-column", 4, "'dose G [mmol/L]'"),
        ("table: t.csv", "table: tt.csv", "no-file", 3, "'t.csv'"),
        ("table: t.csv", "table: t.csv\nparameters: [m.cv]", "no-file", 4, "'m.csv'"),
        ("model: m.txt", "model: top2000", "no-file", 2, "'topp2000'"),
        ("proportional: 5 %, additive: 2 mg/dL", "additive: 0 mg/dL", "out-of-range", 5, "above 0"),
        ("error: {proportional: 5 %, additive: 2 mg/dL}", "error: column", "missing-error", 2, "'error'"),
    ],
)
def test_everything_wrong_with_a_problem_file(
    old: str, new: str, kind: str, line: int, words: str, tmp_path: Path
) -> None:
    with pytest.raises(BetapodError) as caught:
        read(tmp_path, problem=PROBLEM.replace(old, new))
    problems = [problem for problem in caught.value.problems if problem.kind == kind]
    assert problems, caught.value.kinds
    assert problems[0].location.line == line and words in str(caught.value)
    assert len(problems) == 1 or kind == "missing-error"  # a key that may be a word or have keys is not told twice


def test_faults_of_file_and_table_come_together(tmp_path: Path) -> None:
    with pytest.raises(BetapodError) as caught:
        read(tmp_path, TABLE.replace("8.1", "oops"), PROBLEM.replace("G0: {}", "G1: {}"))
    assert {"bad-number", "unknown-name"} <= set(caught.value.kinds)


def test_models_and_tables_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(BetapodError, match="no such file"):
        read(tmp_path, problem=PROBLEM.replace("m.txt", "n.txt"))
    with pytest.raises(BetapodError, match="no such file"):
        read(tmp_path, problem=PROBLEM.replace("t.csv", "u.csv"))
    with pytest.raises(BetapodError, match="no measurement"):
        read(tmp_path, "\n".join(TABLE.splitlines()[:1]) + "\na,0,glucose,,mg/dL,8,14\n")


def test_a_model_of_the_package(tmp_path: Path) -> None:
    problem = (
        "kind: individual\nmodel: topp2000\nset: {S_I: 0.5 L/mU/day}\ntable: t.csv\n"
        "observables: {glucose: {unit: mg/dL}}\nfit: {S_I: {start: 0.6 L/mU/day}}\n"
    )
    read_problem = read(tmp_path, "id,time [day],value\n1,0,250\n1,10,240\n", problem)
    assert read_problem.model.parameters["S_I"].value == 0.5 and read_problem.parameters[0].start == 0.6
    assert read_problem.people[0].values[0] == 250.0


def test_the_example_is_written_once(tmp_path: Path) -> None:
    paths = write_individual_example(tmp_path / "new")
    assert [path.name for path in paths] == list(FILES)
    with pytest.raises(BetapodError, match="the file exists"):
        write_individual_example(tmp_path / "new")


def test_values_that_cannot_be_are_told_in_their_cells(tmp_path: Path) -> None:
    with pytest.raises(BetapodError) as caught:
        read(tmp_path, TABLE.replace("8.1", "1e300").replace(",16", ",0"))
    found = {problem.kind: (problem.location.line, problem.location.column) for problem in caught.value.problems}
    assert found == {"out-of-range": (5, 14), "impossible-value": (6, 26)}


def test_measured_twice_and_nought(tmp_path: Path) -> None:
    table = "id,time [min],observable,value,unit\na,0,insulin,0,mU/L\na,0,insulin,8,mU/L\na,9,insulin,8,mU/L\n"
    notes = read(tmp_path, table).notes
    assert "lines 2 and 3" in notes[0] and "line 2)" in notes[1] and len(notes) == 2


def test_a_share_without_bounds_is_looked_for_within_0_and_1() -> None:
    share = PersonParameter("V", "L/kg", 0.5, "logit", 0.0, float("inf"))
    assert share.bounds == (float("-inf"), float("inf"))

"""Tables of people as strangers write them: read with a word on how, or refused with the reason that helps."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from commands import carry_out

from betapod.base import delimited
from betapod.base.errors import ConfigError, Problem
from betapod.patients import plausibility
from betapod.patients.cohorts import cohort_catalogue, patient_tables, sexes
from betapod.patients.cohorts.cohort_target import UNITS

GOOD = "id,age,sex,hba1c,creatinine [umol/L],uacr [mg/g]\na,69,F,6.8,176,45.7\nb,47,M,10.5,71,5.6\n"


def people(folder: Path, content: str | bytes, **more: object) -> patient_tables.PatientTable:
    path = folder / "people.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return patient_tables.read_csv(path, **more)  # type: ignore[arg-type]


def problems(folder: Path, content: str | bytes, **more: object) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        people(folder, content, **more)
    return caught.value.problems


def places(found: tuple[Problem, ...]) -> set[tuple[str, int, int]]:
    return {(p.kind, p.location.line, p.location.column) for p in found}


SEMICOLONS = (
    GOOD.replace(",", ";").replace("6.8", "6,8").replace("10.5", "10,5").replace("45.7", "45,7").replace("5.6", "5,6")
)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (SEMICOLONS, "read as separated by semicolons"),
        (SEMICOLONS, "decimal comma"),
        (SEMICOLONS.replace(";", "\t"), "separated by tabs"),
        (GOOD.replace(",", "|"), "separated by vertical bars"),
        ("sep=;\n" + SEMICOLONS, "semicolons"),
        ("# export 2024\n" + GOOD, "not read: line 1, before the header"),
        ("Our registry\n\nage and sex of all\n" + GOOD, "not read: lines 1 to 3"),
        (GOOD.replace("\n", "\r"), ""),
        (GOOD.replace("\n", "\r\n"), ""),
        (GOOD.replace("\n", "\n\n , , \n"), ""),
        (GOOD.replace("\n", ",,\n"), ""),
        ("\ufeff" + GOOD, ""),
        (GOOD.encode("utf-16"), "UTF-16"),
        (GOOD.encode("utf-16-le"), "UTF-16"),
        (b"\xfe\xff" + GOOD.encode("utf-16-be"), "UTF-16"),
        (
            GOOD.replace("id", "n\u00e4me,id")
            .replace("\na,", "\n\u00e4,a,")
            .replace("\nb,", "\n\u00f6,b,")
            .encode("latin-1"),
            "1252",
        ),
        (
            GOOD.replace("6.8", '"6,8"').replace("10.5", '"10,5"').replace("45.7", '"45,7"').replace("5.6", '"5,6"'),
            "comma",
        ),
        (GOOD + "# end of export\n", "comments"),
        (GOOD.replace("6.8", " 6.8\u00a0"), ""),
        (GOOD.replace("id,age", '"id", "age"').replace("a,69", '"a", "69"'), ""),
        (GOOD.replace("id,age", "\u200bid,Age"), ""),
    ],
)
def test_the_same_people_however_they_are_saved(tmp_path: Path, content: str | bytes, words: str) -> None:
    found = people(tmp_path, content)
    assert found.table["hba1c"].tolist() == [6.8, 10.5]
    assert found.table["female"].tolist() == [1.0, 0.0]
    assert found.table["uacr"].tolist() == [45.7, 5.6]
    assert words in " ".join(found.notes)


@pytest.mark.parametrize(
    ("content", "kind", "line", "column"),
    [
        ("id,age,sex,hba1c,uacr,egfr\np0,50,m,7,5,30,60\n", "long-row", 2, 0),
        ("id,age\na,60,,x\n", "long-row", 2, 0),
        ("id,age,hba1c,remark\na,60,7,5,\n", "long-row", 2, 0),
        ("id,age,hba1c,,\na,60,7,5,\n", "nameless-column", 1, 4),
        ("age;sex,hba1c;uacr,egfr\n60;1,2;3,4\n", "mixed-separators", 1, 0),
        ('id,age,hba1c\na,60,7.5\nb,61,"7,5"\n', "mixed-decimals", 3, 3),
        ("id;uacr\na;1.234\nb;5\n", "ambiguous-number", 2, 2),
        ('id,uacr\na,"1,234"\nb,5\n', "ambiguous-number", 2, 2),
        ("id,age\na,6\x000\n", "control-character", 2, 4),
        ("id,age\na,6\x1b[31m0\n", "control-character", 2, 4),
        ("PK\x03\x04 and more", "not-text", 0, 0),
        ("age,hba1c\n50," + "7" * 140_000 + "\n", "long-cell", 2, 0),
        ('id,age\na,60\nb,"61\nc,62\n', "bad-quotes", 3, 0),
        ("age,,hba1c\n60,3,7\n", "nameless-column", 1, 2),
        ("id,age\n#a,60\nb,61\n", "comment-row", 2, 0),
        ("id,age\n,60\nb,61\n", "no-id", 2, 0),
        ("id,egfr\na,>90\n", "censored", 2, 2),
        ("id,hba1c\na,<4\n", "censored", 2, 2),
        ("id,uacr\na,<LOD\n", "bad-number", 2, 2),
        ("id,hba1c\na,07. Mai\n", "bad-number", 2, 2),
        ("id,hba1c\na,7.2 %\n", "bad-number", 2, 2),
        ("id,age\na,inf\n", "bad-number", 2, 2),
        ("id,age\na,1_0\n", "bad-number", 2, 2),
        ("id,age\na,\uff16\uff10\n", "bad-number", 2, 2),
        ("id,age\na,999\n", "impossible", 2, 2),
        ("id,fpg [mmol/L]\na,-3\n", "negative", 2, 2),
        ("id,hba1c\na,0\n", "impossible", 2, 2),
        ("id,metformin\na,2\n", "bad-value", 2, 2),
        ("\n\n", "empty-table", 1, 0),
        (",,\n,,\n", "empty-table", 1, 0),
        ("id,age\na,85+\n", "censored", 2, 2),
        ("Zimmer;Zucker\n60;7\n", "no-columns", 1, 0),
        ("a1c,hba1c\n7,7\n", "duplicate-column", 1, 2),
    ],
)
def test_refused_with_the_place(tmp_path: Path, content: str, kind: str, line: int, column: int) -> None:
    assert (kind, line, column) in places(problems(tmp_path, content))


def test_hints_say_what_to_do(tmp_path: Path) -> None:
    def hint(content: str, kind: str) -> str:
        return next(p.hint for p in problems(tmp_path, content) if p.kind == kind)

    assert "decimal commas must be quoted" in hint("id,age,hba1c\na,60,7,5\n", "long-row")
    assert "This is a date" in hint("id,hba1c\na,5-Jul\n", "bad-number")
    assert "'hba1c [%]'" in hint("id,hba1c\na,7.2 %\n", "bad-number")
    assert "missing value" in hint("id,age\na,-99\n", "negative")
    assert "leaves the people above the limit out" in hint("id,egfr\na,>90\n", "censored")


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    found = problems(tmp_path, "id,age,sex,hba1c\na,400,1,7\nb,60,0,abc\nb,61,0,7,9\nc,,0\n")
    assert places(found) == {
        ("impossible", 2, 2),
        ("coded-sex", 2, 3),
        ("bad-number", 3, 4),
        ("long-row", 4, 0),
        ("short-row", 5, 0),
    }


def test_below_the_limit_of_detection(tmp_path: Path) -> None:
    """Limit over the square root of two (Hornung and Reed 1990), as NHANES fills its own files."""
    found = people(tmp_path, "id,uacr [mg/g]\na,<5\nb,< 3.0\nc,30\n")
    np.testing.assert_allclose(found.table["uacr"], [5 / math.sqrt(2), 3 / math.sqrt(2), 30])
    assert "uacr: 2 of 3 below a limit, such as <5" in " ".join(found.notes)


@pytest.mark.parametrize("word", ["NA", "", ".", "-", "n/a", "NaN", "#N/A", "missing", "\u2014"])
def test_words_for_missing(tmp_path: Path, word: str) -> None:
    found = people(tmp_path, f"id,age,sex,hba1c\na,60,{word},{word}\nb,61,F,7\n")
    assert np.isnan(found.table["hba1c"][0])
    assert np.isnan(found.table["female"][0])
    assert "hba1c: 1 of 2 missing" in found.notes


@pytest.mark.parametrize(
    ("text", "separator", "decimal", "value"),
    [
        ("1.234,5", ";", ",", 1234.5),
        ("1,234.5", ",", ".", 1234.5),
        ("1 234,5", ";", ",", 1234.5),
        ("1'234.5", ";", ".", 1234.5),
        ("0,125", ";", ",", 0.125),
        ("0.125", ";", ".", 0.125),
        ("1.234.567", ";", ",", 1234567.0),
        ("1.234", ",", ".", 1.234),
        ("1234,567", "\t", ",", 1234.567),
        ("1e3", ",", ".", 1000.0),
        ("\u22125", ",", ".", -5.0),
        (".5", ",", ".", 0.5),
    ],
)
def test_numbers(text: str, separator: str, decimal: str, value: float) -> None:
    marks = delimited.marks([(text, Problem("", "").location)], separator)
    assert marks.decimal == decimal
    assert delimited.cell_number(text, marks.decimal) == pytest.approx(value, rel=1e-15)


def test_other_numbers_of_the_table_decide() -> None:
    """With 6,8 beside it 1.234 is a thousand; with 6.8 beside it 1,234 is."""
    assert delimited.cell_number("1.234", ",") == 1234.0
    assert delimited.cell_number("1,234", ".") == 1234.0
    assert delimited.cell_number("12.34", ",") is None
    assert delimited.cell_number("1,2", ".") is None


def test_units_at_the_end_of_a_name(tmp_path: Path) -> None:
    head = "pid,sex,age_y,hba1c_mmol_mol,scr_umolL,height_cm,weight_kg,dbp_mmHg,c_peptide_ng_ml,ACR_mg_mmol"
    found = people(tmp_path, f"{head}\na,F,60,53,88.4,170,80,70,3.02,3.39\n").table
    assert found["hba1c"][0] == pytest.approx(7.0, abs=0.01)
    assert found["c_peptide"][0] == pytest.approx(1.0, abs=0.01)
    assert found["uacr"][0] == pytest.approx(30.0, abs=0.05)
    assert found["bmi"][0] == pytest.approx(80 / 1.7**2)
    assert found["egfr"][0] == pytest.approx(64.5, abs=0.5)
    assert "columns without use: 'age_kg'" in " ".join(people(tmp_path, "id,age,age_kg\na,60,60\n").notes)


def test_a_table_without_known_columns_has_one_problem(tmp_path: Path) -> None:
    assert [p.kind for p in problems(tmp_path, "id,time,value\na,0,5\na,1,6\n")] == ["no-columns"]


def test_thousands_are_said(tmp_path: Path) -> None:
    found = people(tmp_path, 'id,uacr [mg/g]\na,"1,234"\nb,5.5\n')
    assert found.table["uacr"].tolist() == [1234.0, 5.5]
    assert "uacr: thousands are marked in 1 of 2: read 1,234 as 1234" in found.notes


# -- sex -------------------------------------------------------------------------------------------------------------

CODED = "id,age,sex,hba1c\na,69,0,6.8\nb,47,1,10.5\n"


@pytest.mark.parametrize("codes", ["0 1", "1 2", "1.0 2.0", "1 1"])
@pytest.mark.parametrize("column", ["sex", "gender", "Geschlecht"])
def test_codes_of_sex_are_no_guess(tmp_path: Path, codes: str, column: str) -> None:
    first, second = codes.split()
    found = problems(tmp_path, f"id,age,{column}\na,69,{first}\nb,47,{second}\n")
    assert [p.kind for p in found] == ["coded-sex"]
    assert "female=0,male=1 (option --sex-codes" in found[0].hint
    assert found[0].location.line == 2


def test_words_of_another_language_are_codes_too(tmp_path: Path) -> None:
    """In Spanish M may be mujer."""
    found = people(tmp_path, "id,sexo\na,M\nb,H\n", sex_codes=sexes.parse_codes("female=M,male=H"))
    assert found.table["female"].tolist() == [1.0, 0.0]


@pytest.mark.parametrize(("given", "expected"), [("female=0,male=1", [1.0, 0.0]), ("male=0, female=1", [0.0, 1.0])])
def test_codes_that_somebody_explains(tmp_path: Path, given: str, expected: list[float]) -> None:
    found = people(tmp_path, CODED, sex_codes=sexes.parse_codes(given))
    assert found.table["female"].tolist() == expected


@pytest.mark.parametrize(
    ("heading", "women", "men"),
    [
        ("sex (0=F, 1=M)", "0", "1"),
        ("sex [1 = male; 2 = female]", "2", "1"),
        ("gender (f:1/m:0)", "1", "0"),
        ("sex (M/F)", "F", "M"),
    ],
)
def test_a_heading_that_explains_its_codes(tmp_path: Path, heading: str, women: str, men: str) -> None:
    found = people(tmp_path, f'id,age,"{heading}"\na,60,{women}\nb,61,{men}\n')
    assert found.table["female"].tolist() == [1.0, 0.0]


@pytest.mark.parametrize("heading", ["sex (0/1)", "sex (0=F)", "sex (0=F, 0=M)", "sex (a=F, 1=M, 1=F)"])
def test_a_heading_that_explains_nothing(tmp_path: Path, heading: str) -> None:
    assert "coded-sex" in {p.kind for p in problems(tmp_path, f'id,age,"{heading}"\na,60,0\nb,61,1\n')}


@pytest.mark.parametrize("given", ["", "female=0", "female=0,male=0", "female,male", "fmale=0,male=1", "f=0,m=1"])
def test_codes_that_explain_nothing(given: str) -> None:
    with pytest.raises(ConfigError, match="bad-codes"):
        sexes.parse_codes(given)


@pytest.mark.parametrize(
    ("column", "women", "men"),
    [
        ("sex", "F", "M"),
        ("SEX", "Female", "MALE"),
        ("gender", "woman", "man"),
        ("Geschlecht", "w", "m"),
        ("Geschlecht", "weiblich", "m\u00e4nnlich"),
        ("sexe", "femme", "homme"),
        ("sexo", "mujer", "hombre"),
        ("sex", "\u5973", "\u7537"),
        ("female", "1", "0"),
        ("female", "1.0", "0.0"),
        ("female", "yes", "no"),
        ("male", "0", "1"),
        ("RIAGENDR", "2", "1"),
    ],
)
def test_words_for_the_sexes(tmp_path: Path, column: str, women: str, men: str) -> None:
    found = people(tmp_path, f"id,age,{column}\na,60,{women}\nb,61,{men}\n")
    assert found.table["female"].tolist() == [1.0, 0.0]


def test_unknown_sex_is_missing_and_said(tmp_path: Path) -> None:
    found = people(tmp_path, "USUBJID,AGE,SEX\na,60,F\nb,61,U\n")
    assert np.isnan(found.table["female"][1])
    assert "sex: 1 unknown" in found.notes


@pytest.mark.parametrize("word", ["H", "x", "divers", "3"])
def test_words_that_are_no_sex(tmp_path: Path, word: str) -> None:
    found = problems(tmp_path, f"id,age,sex\na,60,F\nb,61,{word}\n")
    assert found[0].kind in ("bad-value", "coded-sex")
    assert "--sex-codes" in found[0].hint
    assert found[0].location.line == 3


def test_a_flag_is_no_word_for_sex(tmp_path: Path) -> None:
    found = problems(tmp_path, "id,age,female\na,60,F\nb,61,M\n")
    assert {p.kind for p in found} == {"bad-value"}
    assert "named 'sex'" in found[0].hint


def test_command_line_takes_codes(tmp_path: Path) -> None:
    path = tmp_path / "people.tsv"
    path.write_text(CODED.replace(",", "\t"), encoding="utf-8")
    command = ["patients", "check", path]
    done = carry_out(*command)
    assert done.returncode == 2
    assert "people.tsv:2:3: coded-sex" in done.stderr
    command += ["--sex-codes", "female=0,male=1"]
    done = carry_out(*command)
    assert done.returncode == 0, done.stderr
    assert "read as separated by tabs" in done.stdout


def test_notes_reach_whoever_loads_a_cohort(tmp_path: Path) -> None:
    rows = "".join(f"p{i};{40 + i};{6 + i / 10:.1f}\n".replace(".", ",") for i in range(30))
    path = tmp_path / "people.txt"
    path.write_text(f"id;age;hba1c\n{rows}", encoding="utf-8")
    target = cohort_catalogue.load_target(path)
    assert "read as separated by semicolons" in target.notes
    assert set(target.distributions) == {"age", "hba1c"}


def test_codes_without_a_table_of_people() -> None:
    with pytest.raises(ConfigError, match="bad-codes"):
        cohort_catalogue.load_target("FLOW", {"0": "female", "1": "male"})


LONG = 100_000


@pytest.mark.parametrize(
    "content",
    [
        "age,a" + " " * LONG + "!\n60,1\n",
        "age,age (" + ") " * (LONG // 2) + "\n60,1\n",
        "age," + "x" * LONG + "\n60,1\n",
        "id,age\na," + ",".join([]) + '"' + "," * LONG + '1"\n',
        "id,age\na," + "1" * LONG + "\n",
        "id,age\na," + "1 " * (LONG // 2) + "\n",
        "id,age\na,<" + " " * LONG + "x\n",
        "id,sex\na," + "x" * LONG + "\n",
        "id,female\na," + "x" * LONG + "\n",
        "id,age\n" + "x" * LONG + ",60\n" + "x" * LONG + ",61\n",
        ",".join(["age", *(f"agee{i}" for i in range(5000))]) + "\n" + ",".join(["60"] * 5001) + "\n",
        "\n".join(["#"] * LONG) + "\nage\n60\n",
        "age\n" + "60\n" * 10 + "\n" * LONG,
        '"' * LONG,
        "," * LONG,
        ";,\t|" * (LONG // 4),
    ],
    ids=range(16),
)
def test_endless_cells_end(tmp_path: Path, content: str) -> None:
    """Long cells, many columns and many lines: answered at once, and in few words."""
    try:
        said = " ".join(people(tmp_path, content).notes)
    except ConfigError as error:
        said = str(error)
    assert len(said) < 10_000


@pytest.mark.parametrize("name", sorted(plausibility.POSSIBLE))
def test_bounds_of_what_is_possible(tmp_path: Path, name: str) -> None:
    """The bounds themselves are read; a step beyond either is refused with its place."""
    (low, high), unit = plausibility.POSSIBLE[name], UNITS.get(name, "mg/dL")
    step = 1e-6 * max(high, 1.0)
    good = people(tmp_path, f"id,sex,{name} [{unit}]\na,F,{low!r}\nb,M,{high!r}\n")
    if name != "creatinine":
        assert good.table[name].tolist() == [low, high]
    bad = problems(tmp_path, f"id,{name} [{unit}]\na,{low - step!r}\nb,{high + step!r}\n")
    assert {p.location.line for p in bad if p.kind in ("impossible", "negative")} == {2, 3}


@pytest.mark.parametrize("name", sorted(set(plausibility.UNUSUAL) - {"creatinine"}))
def test_bounds_of_what_is_usual(tmp_path: Path, name: str) -> None:
    (low, high), unit = plausibility.UNUSUAL[name], UNITS[name]
    found = people(tmp_path, f"id,{name} [{unit}]\na,{low!r}\nb,{high!r}\n")
    assert not any("unusual" in note for note in found.notes)
    least, most = plausibility.POSSIBLE[name]
    beyond = [value for value in (low - 1e-3, high + 1e-3) if least <= value <= most]
    rows = "".join(f"p{i},{value!r}\n" for i, value in enumerate(beyond))
    found = people(tmp_path, f"id,{name} [{unit}]\n{rows}")
    assert any(f"{name}: {len(beyond)} of {len(beyond)} outside" in note for note in found.notes)

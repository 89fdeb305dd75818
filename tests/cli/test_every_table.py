"""Every verb that prints a table, on terminals of 60, 80 and 120 columns and into a pipe."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path

import pytest
from terminals import WIDTHS, check_fits, on_terminal

from betapod.cli.main import main
from betapod.physiology import whole_body

#: Commands that take little time; `run`, `report` and `confront` are tried beside their own tests.
TABLES = """
model list
params list kidney
params list kidney --role tuned
params list kidney --grade A
params diff kidney metabolism
params diff kidney reference
trial list
patients list
patients show
evidence list
evidence list --rows --study PACKHAM2016
evidence list --search 'SGLT2 kidney'
evidence terms endpoint
claims --no-model
claims --no-model --search 'beta cells'
claims contest
switches
drugs
drugs --search ARB
ogtt
simulate kidney --years 1
""".strip().splitlines()
TEXTS = """
model show kidney Filtration
model check kidney
params show kidney N_nephrons0 k_slit
trial check dn61
patients like FLOW -n 50
evidence show PACKHAM2016
evidence pool --endpoint HbA1c --across population --across product
evidence check
claims show A01 B07 --no-model
switches sw_filtration
drugs show semaglutide
complications list
complications show foot_ulcer
drugs show 'SGLT2 inhibitor' teplizumab
doctor --quick
""".strip().splitlines()


def words(command: str) -> list[str]:
    import shlex

    return shlex.split(command)


@pytest.mark.parametrize("command", [*TABLES, *TEXTS])
def test_what_is_printed_fits_the_terminal(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """F9: heads were "desig/n", columns vanished, and 119 parameters took 1,174 lines at 80 columns."""
    whole = on_terminal(monkeypatch, 4000, *words(command))
    for width in WIDTHS:
        narrow = on_terminal(monkeypatch, width, *words(command))
        check_fits(narrow, whole)
        assert len(narrow.tables) == len(whole.tables)


@pytest.mark.parametrize("command", TABLES)
def test_into_a_pipe_a_table_is_csv(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One rule for every verb whose result is a table; `--csv -` says it aloud and gives the same."""
    printed = []
    for more in ([], ["--csv", "-"]):
        monkeypatch.setattr(sys, "argv", ["betapod", *words(command), *more])
        with pytest.raises(SystemExit) as stopped:
            main()
        assert not stopped.value.code
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    head, *rows = csv.reader(io.StringIO(printed[0]))
    assert rows and all(len(row) == len(head) for row in rows)
    assert all(head) and len(set(head)) == len(head), head


def test_a_file_gets_the_table_instead_of_the_terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "trials.csv"
    assert on_terminal(monkeypatch, 80, "trial", "list", "--csv", path).text == ""
    assert path.read_text(encoding="utf-8").startswith("name,patients,arms,title\ndn61,61,")
    # A text is printed all the same.
    assert (
        "MPC 150M" in on_terminal(monkeypatch, 80, "evidence", "show", "PACKHAM2016", "--csv", tmp_path / "e.csv").text
    )


def test_wide_prints_what_a_narrow_terminal_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    narrow = on_terminal(monkeypatch, 80, "params", "list", "kidney")
    assert "left out at this width: source, range" in narrow.text and "3.5 to 25" not in narrow.text
    assert "3.5 to 25" in on_terminal(monkeypatch, 80, "params", "list", "kidney", "--wide").text
    # Rows once took six lines each.
    assert len(narrow.text.splitlines()) < 2 * len(whole_body.model_parameters("kidney"))


def test_csv_and_json_do_not_both_go_to_standard_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["betapod", "trial", "list", "--csv", "-", "--json"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2 and "both print to standard output" in capsys.readouterr().err

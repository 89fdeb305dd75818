"""Folders may be called anything: what a database, a shell or a pattern makes of a name is not what is read or written."""

import shlex
from pathlib import Path

import numpy as np
import pytest
import small_runs as runs
import small_trials as trials
from commands import carry_out

from betapod.cli.completion import complete_run
from betapod.cli.running import command
from betapod.cli.verbs.trial_data_verbs import _beside
from betapod.engine.runs import database
from betapod.engine.runs.execute import execute
from betapod.engine.runs.store import Store
from betapod.engine.runs.summary import finish, merge, quantiles
from betapod.report.trial.trial_report import _parquet
from betapod.trials import run_folder
from betapod.trials.conduct import drawn_design

NAMES = [
    "run[1]", "run?", "a*b", "a*", "it's", 'say "x"', "x?y", "ü ß", "patient=3", "time=0", "{a,b}", "[!a]", "a\\b[1]", "~", "**",
    "run;1", "$HOME", "%s", "[", "two\nlines",
]  # fmt: skip
#: Names that a pattern of `NAMES` would fit; each is beside it with other content.
BAIT = {"run[1]": "run1", "run?": "runX", "a*b": "aXb", "a*": "aXb", "x?y": "xXy", "{a,b}": "a", "[!a]": "b", "**": "c"}


def run(place, seed):
    plan = runs.plan(patients=12, shard_size=6, seed=seed, visits=3)
    outcome = execute(plan, place)
    return outcome.store, plan, finish(outcome.store, plan, sample=4)


@pytest.mark.parametrize("name", ["run[1]", "a*b", "x?y", "it's", "patient=3", "a\\b[1]", "ü ß", "two\nlines", "**"])
def test_a_run_folder_of_any_name_is_read_and_no_other(tmp_path, name):
    _, _, expected = run(tmp_path / "plain", 1)
    if name in BAIT:
        run(tmp_path / BAIT[name], 2)
    store, _, found = run(tmp_path / name, 1)
    assert {**found, "seconds_solving": 0} == {**expected, "seconds_solving": 0} and found["accuracy"]["reproduced"]
    last = [store.manifest["identity"]["times"][-1]]
    assert quantiles(store, last) == quantiles(Store.open(tmp_path / "plain"), last)
    assert np.array_equal(store.values(1), Store.open(tmp_path / "plain").values(1), equal_nan=True)
    with store.connect() as connection:
        columns = [row[0] for row in connection.execute("DESCRIBE visits").fetchall()]
    assert columns == ["patient", "time", "x", "y", "g", "G_2"]
    assert merge([tmp_path / name], tmp_path / "merged" / name).survey()[1] == {}


@pytest.mark.parametrize("name", ["run[1]", "it's", "visit=0"])
def test_a_trial_in_a_folder_of_any_name_gives_its_own_results(tmp_path, monkeypatch, name):
    monkeypatch.setattr(run_folder, "pool_of", lambda trial, *_, **__: trials.pool(trial, people=60))
    monkeypatch.setattr(drawn_design, "SHARD", 2)
    file = tmp_path / "small.yaml"
    file.write_text(trials.TEXT.replace("replicates: 60", "replicates: 3"))
    what, other = run_folder.trial_plan(file), run_folder.trial_plan(file, seed=99)
    made = run_folder.run_into(tmp_path / name, what)
    if name in BAIT:
        run_folder.run_into(tmp_path / BAIT[name], other)
    again = run_folder.open_trial_run(tmp_path / name)
    assert list(made) == list(again)
    for key in made:
        assert np.array_equal(made[key].observed["UACR"], again[key].observed["UACR"], equal_nan=True)


@pytest.mark.parametrize("name", NAMES)
def test_tables_of_a_report_are_written_where_they_belong(tmp_path, name):
    import pandas as pd

    (tmp_path / name).mkdir()
    with database.connect(1) as connection:
        written = _parquet(connection, pd.DataFrame({"a": [1, 2]}), tmp_path / name / "t.parquet")
    with database.connect(1) as connection:
        assert connection.execute(f"SELECT * FROM {database.parquet([written])}").fetchall() == [(1,), (2,)]
    assert [path.name for path in (tmp_path / name).iterdir()] == ["t.parquet"]


def test_a_relative_folder_called_tilde_is_no_home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    run(Path("~"), 1)
    assert (tmp_path / "~" / "visits" / "part-00001.parquet").is_file()
    assert not list((tmp_path / "home").iterdir())


@pytest.mark.parametrize("name", [*NAMES, "-x", "a b"])
def test_a_command_in_a_hint_can_be_pasted_into_a_shell(name):
    words = shlex.split(command("resume", Path(name)))
    assert words[:2] == ["betapod", "resume"] and len(words) == 3
    assert Path(words[2]) == Path(name) and not words[2].startswith("-")


def test_completion_takes_names_literally(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("run[1]", "run1", "xrun"):
        (tmp_path / name).mkdir()
    assert "run[1]" in complete_run("run[") and "run1" not in complete_run("run[")
    assert complete_run("*") == []
    assert complete_run(str(tmp_path / "run[")) == [str(tmp_path / "run[1]")]


@pytest.mark.parametrize(
    "words",
    [["trial", "export", "."], ["trial", "export", "/"], ["trial", "export", "loop"], ["value", ".", "--new"], ["value", "/", "--new"]],
    ids=" ".join,
)  # fmt: skip
def test_a_folder_without_a_name_of_its_own_is_a_folder(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    done = carry_out(*words)
    assert done.returncode == 2 and "internal error" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["loop"]


def test_what_is_made_of_the_run_one_is_in_stands_beside_it(tmp_path, monkeypatch):
    (tmp_path / "run").mkdir()
    monkeypatch.chdir(tmp_path / "run")
    assert _beside(Path(), "adam") == tmp_path / "run-adam"
    assert _beside(Path("other"), "adam") == Path("other-adam")

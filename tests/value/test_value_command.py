"""The verb value: new, check, a finished comparison as text and JSON, and what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from betapod.base.errors import ConfigError, Problem
from betapod.cli.main import app
from betapod.cli.verbs import value
from betapod.value.value_folder import open_value_folder, run_value_into

if not any(command.name == "value" for command in app.registered_commands):
    value.register(app)


def run(*arguments: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["value", *map(str, arguments)])
    return done.exit_code, done.stdout


def refused(*arguments: str | Path) -> tuple[str, ...]:
    error = CliRunner().invoke(app, ["value", *map(str, arguments)]).exception
    assert isinstance(error, ConfigError)
    return error.kinds


def test_new_files_are_good_and_are_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("lives.yaml", "--new")[0] == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lives-country.yaml", "lives.yaml"]
    code, text = run("lives.yaml", "--check")
    assert code == 0 and "4 strategies, 500 people" in text
    assert refused("lives.yaml", "--new") == ("file-exists", "file-exists")


def test_a_finished_comparison_is_shown(value_folder: Path) -> None:
    code, text = run(value_folder / "out", "--quiet")
    assert code == 0
    assert max(map(len, text.splitlines())) <= 80
    code, text = run(value_folder / "out", "--json")
    content = json.loads(text)
    assert content["currency"] == "EUR" and set(content["structures"]) == {"own", "ukpds-om2"}
    prices = content["threshold_price"]
    # Cells that do nothing are worth nothing at any price, and less what their infusions cost.
    assert {row["strategy"] for row in prices} == {"cells"}
    assert all(row["price"] <= -600 for row in prices)


def test_what_is_wrong_leaves_nothing_behind(tmp_path: Path) -> None:
    bad = tmp_path / "run.yaml"
    bad.write_text("title: x\n")
    assert set(refused(bad, "--out", tmp_path / "out")) == {"missing-key"}
    assert not (tmp_path / "out").exists()


def test_nothing_is_computed_for_a_workbook_that_cannot_be_written(value_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert refused(value_folder / "run.yaml", "--out", out, "--excel", tmp_path / "none" / "a.xlsx") == (
        "cannot-write",
    )
    assert refused(value_folder / "run.yaml", "--out", out, "--excel", tmp_path / "a.csv") == ("unknown-format",)
    assert not out.exists()
    assert refused(value_folder / "out", "--out", out) == ("useless-option",)


def test_a_damaged_comparison_says_so_and_is_put_together_again(value_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(value_folder / "out", out)
    whole = (out / "draws.parquet").read_bytes()
    (out / "draws.parquet").write_bytes(whole[:100])
    assert refused(out) == ("incomplete-run",)
    run_value_into(out, value_folder / "run.yaml", threads=2)
    assert (out / "draws.parquet").read_bytes() == whole
    # Of an earlier version, which did not say which sets of events read a number.
    content = json.loads((out / "result.json").read_text())
    for row in content["parameters"]:
        del row["structures"]
    (out / "result.json").write_text(json.dumps(content))
    assert any("What cells do is not drawn, nor are the effects" in text for text in open_value_folder(out).missing)


def test_a_comparison_that_cannot_begin_leaves_no_folder(
    value_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(*_: object) -> None:
        raise ConfigError(Problem("nobody-eligible", "nobody fits"))

    monkeypatch.setattr("betapod.value.value_folder.run_value_settings", nobody)
    (tmp_path / "empty").mkdir()
    for out in (tmp_path / "out", tmp_path / "empty"):
        with pytest.raises(ConfigError, match="nobody fits"):
            run_value_into(out, value_folder / "run.yaml")
    assert [(path.name, [*path.iterdir()]) for path in tmp_path.iterdir()] == [("empty", [])]

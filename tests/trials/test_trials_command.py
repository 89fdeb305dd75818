"""The verbs about trials, as a user types them."""

import json
import re
import subprocess
import sys

import pytest
import small_trials as small
from terminals import WIDTHS, check_fits, on_terminal
from typer.testing import CliRunner

from betapod.cli import main as cli
from betapod.trials import run_folder
from betapod.trials.conduct import drawn_design


@pytest.fixture
def invoke(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run_folder, "pool_of", lambda trial, *_, **__: small.pool(trial, people=300))
    monkeypatch.setattr(drawn_design, "SHARD", 15)
    cli._register(["run"])

    def run(*arguments):
        return CliRunner().invoke(cli.app, list(arguments))

    return run


def test_run_and_resume_print_the_same(invoke, tmp_path):
    (tmp_path / "small.yaml").write_text(small.TEXT)
    first = invoke("run", "small.yaml", "--json", "--quiet", "--threads", "2")
    assert first.exit_code == 0, first.output
    document = json.loads(first.stdout)
    assert document["trial"] == "small"
    assert document["folder"] == "betapod-small"
    assert {row["scenario"] for row in document["rows"]} == {"none", "seed-claims"}
    (tmp_path / "betapod-small" / "receipts" / "00001.json").unlink()
    again = invoke("resume", "betapod-small", "--json", "--quiet")
    assert json.loads(again.stdout) == document
    table = invoke("run", "small.yaml", "--quiet")
    assert "by cells" in table.stdout and "seed-claims" in table.stdout


def test_what_a_run_prints_fits_the_terminal(invoke, tmp_path, monkeypatch):
    """F9: heads were "desig/n" and "hypot/hesis". The unit stands in the title, the scenario above its rows."""
    (tmp_path / "small.yaml").write_text(small.TEXT)
    whole = on_terminal(monkeypatch, 4000, "run", "small.yaml", "--quiet")
    for width in WIDTHS:
        check_fits(on_terminal(monkeypatch, width, "run", "small.yaml", "--quiet"), whole)
    assert "scenario seed-claims" in whole.text and "between groups, %" in whole.text
    table = invoke("run", "small.yaml", "--quiet", "--csv", "-").stdout
    assert table.startswith("quantity,summary,visit,scale,unit,design,scenario,treated,control,estimate,low,high,")


def test_parts_of_a_protocol_can_be_run(invoke, tmp_path):
    (tmp_path / "small.yaml").write_text(small.TEXT)
    done = invoke(
        "run", "small.yaml", "--design", "single arm", "--scenario", "none", "-r", "15", "-o", "x", "--json", "-q"
    )
    assert done.exit_code == 0, done.output
    assert len(json.loads(done.stdout)["rows"]) == 1


def test_a_group_alone_is_described_by_what_is_measured_where_the_endpoint_is_an_outcome(invoke, tmp_path):
    usual, tables = "{quantity: UACR, summary: ratio, at: month 6}", {}
    for number, outcome in enumerate((usual, "{quantity: quality of life, summary: total, at: month 6}")):
        assert usual in small.TEXT
        (tmp_path / f"{number}.yaml").write_text(small.TEXT.replace(usual, outcome))
        arguments = ("--design", "single arm", "--scenario", "none", "-r", "15", "-q", "--csv", "-", "-o", f"x{number}")
        done = invoke("run", f"{number}.yaml", *arguments)
        assert done.exit_code == 0, done.output
        tables[number] = [line.split(",") for line in done.stdout.splitlines()]
    heads, row = tables[0]
    other = dict(zip(heads, tables[1][1], strict=True))
    assert (other["quantity"], other["summary"], other["unit"]) == ("UACR", "change", "mg/g")
    # A rise of quality of life is better; of albuminuria, which the row tells of, it is not.
    assert other["trials_better"] == row[heads.index("trials_better")]


def test_a_new_protocol_is_a_good_one(invoke, tmp_path):
    assert invoke("trial", "new", "mine", "--from", "skyler2015").exit_code == 0
    text = (tmp_path / "mine.yaml").read_text()
    assert "$schema=betapod-trial.schema.json" in text.splitlines()[0]
    assert "\nname: mine\n" in text
    assert json.loads((tmp_path / "betapod-trial.schema.json").read_text())["title"] == "Protocol"
    checked = invoke("trial", "check", "mine.yaml")
    assert checked.exit_code == 0 and "mine: good" in checked.stdout
    assert invoke("trial", "new", "mine").exit_code != 0


def test_protocols_are_listed_and_shown(invoke):
    listed = json.loads(invoke("trial", "list", "--json").stdout)["protocols"]
    assert {"dn61", "zimislecel"} <= {each["name"] for each in listed}
    assert "UC-MSC 1e6/kg iv x3 q28d" in invoke("trial", "show", "dn61").stdout
    schema = json.loads(invoke("schema", "trial").stdout)
    assert schema["title"] == "Protocol"


def test_mistakes_end_with_code_2_and_their_places(tmp_path):
    (tmp_path / "bad.yaml").write_text(
        small.TEXT.replace("patients: 40", "patients: many").replace("name: small", "nam: small")
    )
    done = subprocess.run(
        [sys.executable, "-m", "betapod", "trial", "check", str(tmp_path / "bad.yaml"), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "bad.yaml:1:1: unknown-key" in done.stderr
    kinds = [problem["kind"] for problem in json.loads(done.stdout)["error"]["problems"]]
    assert sorted(kinds) == ["missing-key", "unknown-key", "wrong-type"]


def test_keys_and_options_of_earlier_versions_are_told_their_name_of_today(invoke, tmp_path):
    (tmp_path / "old.yaml").write_text(re.sub(r"^scenarios:", "hypotheses:", small.TEXT, flags=re.MULTILINE))
    refused = invoke("trial", "check", "old.yaml").exception
    assert refused.kinds == ("unknown-key",)
    assert refused.problems[0].hint == "It is now called 'scenarios'."
    for old in ("--hypothesis", "--mechanisms", "--under"):
        done = invoke("run", "old.yaml", old, "none")
        assert done.exit_code == 2
        assert "Possible options: --scenario" in done.output
    assert "--scenario" not in invoke("resume", "old", "--hypothesis", "none").output

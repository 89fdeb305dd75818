"""Installed packages add protocols, cohorts and parameter overlays by their entry points."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import betapod
from betapod.base.errors import ConfigError
from betapod.base.plugins import PluginWarning
from betapod.trials.protocol.protocol_files import LIBRARY

COHORT = Path(betapod.__file__).parent / "patients" / "profiles" / "flow.yaml"
OVERLAY = "id,label,value,unit\nNa_plasma,plasma sodium,145,mmol/L\n"


def install(folder: Path, package: str, entries: str, **files: str) -> Path:
    """Make an installed package: its metadata, entry points and files, as pip leaves them on the path."""
    site = folder / f"site-{package}"
    data = site / f"{package}_data"
    data.mkdir(parents=True)
    for name, text in files.items():
        file = data / name.replace("__", ".")
        file.write_text(text, encoding="utf-8")
    metadata = site / f"{package}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n", encoding="utf-8")
    (metadata / "entry_points.txt").write_text(entries, encoding="utf-8")
    code = f"from pathlib import Path\nFOLDER = Path(__file__).parent / '{package}_data'\n"
    code += "TRIAL = FOLDER / 'mine.yaml'\ndef cohort():\n    return FOLDER / 'clinic.yaml'\nOVERLAY = str(FOLDER / 'salt.csv')\n"
    (site / f"{package}_files.py").write_text(code, encoding="utf-8")
    return site


def trial(name: str) -> str:
    return (LIBRARY / "sglt2.yaml").read_text(encoding="utf-8").replace("name: sglt2", f"name: {name}", 1)


ENTRIES = """[betapod.protocols]
mine = good_files:TRIAL
[betapod.cohorts]
Clinic = good_files:cohort
[betapod.overlays]
salt = good_files:OVERLAY
"""


@pytest.fixture
def good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    cohort = COHORT.read_text(encoding="utf-8").replace("name: FLOW", "name: Clinic", 1)
    files = {"mine__yaml": trial("mine"), "clinic__yaml": cohort, "salt__csv": OVERLAY}
    site = install(tmp_path, "good", ENTRIES, **files)
    monkeypatch.syspath_prepend(str(site))
    return site


def test_they_stand_in_lists_and_are_found_by_name(good: Path) -> None:
    assert "mine" in set(betapod.list_protocols()["name"])
    assert betapod.load_protocol("mine").name == "mine"
    assert "Clinic" in set(betapod.list_cohorts()["name"])
    cohort = betapod.select_cohort("clinic", patients=20)
    assert cohort.report.target == "Clinic" and len(cohort.patients) == 20
    overlays = betapod.list_overlays().set_index("name")
    assert overlays.loc["salt", "rows"] == 1
    assert betapod.load_model("kidney", ["salt"]).parameters["Na_plasma"].value == 145.0


def test_they_are_gone_with_the_package() -> None:
    assert "mine" not in set(betapod.list_protocols()["name"])
    with pytest.raises(ConfigError, match="unknown-protocol"):
        betapod.load_protocol("mine")
    assert betapod.list_overlays().empty


def test_a_trial_may_name_an_installed_cohort(good: Path, tmp_path: Path) -> None:
    path = tmp_path / "with_cohort.yaml"
    text = trial("with_cohort")
    assert "\npopulation: {cohort: DAPA-CKD, " in text
    path.write_text(text.replace("{cohort: DAPA-CKD, ", "{cohort: Clinic, ", 1), encoding="utf-8")
    assert betapod.load_protocol(path).population.cohort == "Clinic"


def test_the_command_line_lists_them(
    good: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from betapod.cli.main import main

    monkeypatch.setattr("sys.argv", ["betapod", "trial", "list", "--json"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert not stopped.value.code
    assert '"mine"' in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["betapod", "params", "show", "kidney", "Na_plasma", "-p", "salt", "--json"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert not stopped.value.code
    (row,) = json.loads(capsys.readouterr().out)["parameters"]
    assert row["value"] == 145.0


@pytest.mark.parametrize("name", ["dn61", "DN61"])
def test_a_name_that_betapod_has_is_ambiguous(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    site = install(tmp_path, "rival", f"[betapod.protocols]\n{name} = rival_files:TRIAL\n", mine__yaml=trial("dn61"))
    monkeypatch.syspath_prepend(str(site))
    with pytest.raises(ConfigError) as caught:
        betapod.load_protocol("dn61")
    assert caught.value.kinds == ("name-clash",)
    assert "betapod, rival" in str(caught.value)
    with pytest.warns(PluginWarning, match=f"the protocol '{name}' of the installed package rival is left out"):
        listed = betapod.list_protocols()
    assert list(listed["name"]).count("dn61") == 1 and len(listed) == len(list(LIBRARY.glob("*.yaml")))
    # The file itself can still be named.
    assert betapod.load_protocol(LIBRARY / "dn61.yaml").name == "dn61"


def test_two_packages_with_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("one", "two"):
        entries = f"[betapod.overlays]\nsalt = {package}_files:OVERLAY\n"
        monkeypatch.syspath_prepend(str(install(tmp_path, package, entries, salt__csv=OVERLAY)))
    with pytest.raises(ConfigError, match="'salt' is offered by several packages"):
        betapod.load_model("kidney", ["salt"])
    with pytest.warns(PluginWarning) as caught:
        assert betapod.list_overlays().empty
    assert len(caught) == 2


BROKEN = {
    "no module": ("[betapod.protocols]\nlost = nowhere_files:TRIAL\n", "ModuleNotFoundError"),
    "no name": ("[betapod.protocols]\nlost = broken_files:NOTHING\n", "AttributeError"),
    "no file": ("[betapod.protocols]\nlost = broken_files:TRIAL\n", "there is no file"),
    "no protocol": ("[betapod.protocols]\nlost = broken_files:FOLDER\n", "there is no file"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_package_is_named_and_nothing_else_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    entries, reason = BROKEN[case]
    monkeypatch.syspath_prepend(str(install(tmp_path, "broken", entries)))
    with pytest.warns(PluginWarning, match=f"'lost' of the installed package broken is left out: .*{reason}"):
        names = set(betapod.list_protocols()["name"])
    assert "lost" not in names and "dn61" in names
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert betapod.load_protocol("dn61").name == "dn61"
    with pytest.raises(ConfigError, match="broken cannot be used") as caught:
        betapod.load_protocol("lost")
    assert caught.value.kinds == ("broken-plugin",)


def test_the_command_line_warns_in_one_line(tmp_path: Path) -> None:
    site = install(tmp_path, "broken", BROKEN["no module"][0])
    paths = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-m", "betapod", "trial", "list"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": paths, "COLUMNS": "200", "PYTHONUTF8": "1"},
    )
    assert done.returncode == 0 and "dn61" in done.stdout
    assert done.stderr.startswith("warning: the protocol 'lost' of the installed package broken is left out: ")
    assert done.stderr.count("\n") == 1 and ".py" not in done.stderr


def test_a_bad_file_of_a_package_is_left_out_of_lists_and_explained_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = trial("mine").replace("patients:", "patient:", 1)
    assert bad != trial("mine")
    entries = "[betapod.protocols]\nmine = bad_files:TRIAL\n"
    monkeypatch.syspath_prepend(str(install(tmp_path, "bad", entries, mine__yaml=bad)))
    with pytest.warns(PluginWarning, match="installed package bad is left out"):
        betapod.list_protocols()
    with pytest.raises(ConfigError, match=r"mine\.yaml:\d+:\d+: unknown-key"):
        betapod.load_protocol("mine")


def test_the_document_names_the_groups_that_are_read() -> None:
    import re
    import tomllib

    from betapod.base.plugins import GROUPS

    page = (Path(__file__).parents[2] / "docs" / "how-to" / "packages.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```toml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    groups = tomllib.loads(block)["project"]["entry-points"]
    assert set(groups) == {f"betapod.{name}" for name in GROUPS}

"""No command writes over what it reads, or over what betapod did not write; devices and links stay what they are."""

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from betapod.base import files, overwriting
from betapod.base.errors import BetapodError, ConfigError
from betapod.cli.main import _register, app
from betapod.cli.writing import verbs, written

MODEL = "dx/dt = -k * x  [1/day]  falls\nx(0) = start  [1]  start value\n"
TABLE = """id,label,value,unit,low,high,distribution,role,source,locator,grade,note
k,k,0.1,1/day,,,"lognormal(0.1, 0.3)",assumed,,,D,
start,start,1,1,,,fixed,assumed,,,D,
"""
SIMULATE = ["simulate", "pk.txt", "--days", "1", "--outputs", "x"]


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("BETAPOD_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pk.txt").write_text(MODEL)
    (tmp_path / "pk.csv").write_text(TABLE)
    return tmp_path


def betapod(*arguments):
    _register([])
    return CliRunner().invoke(app, [str(each) for each in arguments])


def refused(*arguments):
    result = betapod(*arguments)
    assert isinstance(result.exception, BetapodError), (result.exception, result.output)
    return result.exception


def done(*arguments):
    result = betapod(*arguments)
    assert result.exit_code == 0, (result.exception, result.output)
    return result


def test_a_plot_does_not_destroy_the_table_beside_the_model():
    done(*SIMULATE, "--plot", "pk.png")
    assert Path("pk.csv").read_text() == TABLE
    assert Path("pk.plot.csv").read_text().startswith("time")
    done(*SIMULATE)


OVER_INPUT = {
    "the parameters of a model": [*SIMULATE, "--csv", "pk.csv"],
    "the model itself": [*SIMULATE, "--csv", "pk.txt"],
    "the same file by another way": [*SIMULATE, "--csv", "../{here}/pk.csv"],
    "a link to it": [*SIMULATE, "--csv", "link.csv"],
    "a hard link to it": [*SIMULATE, "--csv", "hard.csv"],
    "a model that is exported": ["model", "export", "pk.txt", "--as", "md", "-o", "pk.txt"],
    "a table of parameters": ["params", "list", "pk.txt", "--csv", "pk.csv"],
    "a protocol": ["trial", "new", "pk", "-o", "pk.txt"],
    "a schema": ["schema", "trial", "-o", "pk.csv"],
    "an overlay in a list": ["evidence", "list", "--overlay", "mine.csv", "--csv", "mine.csv"],
    "a list of works": ["cite", "pk.txt", "-o", "pk.csv"],
    "people to be grown": ["patients", "grow", "people.npz", "-n", "1"],
}


@pytest.mark.parametrize("name", OVER_INPUT)
def test_what_somebody_wrote_is_not_replaced(place, name):
    (place / "link.csv").symlink_to("pk.csv")
    (place / "hard.csv").hardlink_to("pk.csv")
    (place / "people.npz").write_text("mine")
    (place / "mine.csv").write_text("mine")
    before = {path: path.read_bytes() for path in place.iterdir() if path.is_file()}
    error = refused(*[text.format(here=place.name) for text in OVER_INPUT[name]])
    assert {problem.kind for problem in error.problems} <= {"would-overwrite", "file-exists"}
    assert "--force" in str(error)
    assert {path: path.read_bytes() for path in place.iterdir() if path.is_file()} == before


def test_force_replaces_it():
    done(*SIMULATE, "--csv", "pk.csv", "--force")
    assert Path("pk.csv").read_text().startswith("time")


def test_the_same_command_may_be_repeated_and_a_result_that_was_edited_is_kept(place):
    for _ in range(2):
        done(*SIMULATE, "--csv", "out.csv", "--plot", "a.svg")
    done("simulate", "pk.txt", "--days", "2", "--csv", "out.csv")
    (place / "out.csv").write_text((place / "out.csv").read_text() + "# my remark\n")
    assert refused(*SIMULATE, "--csv", "out.csv").kinds == ("would-overwrite",)
    (place / "out.csv").write_text("")
    done(*SIMULATE, "--csv", "out.csv")


def test_what_betapod_wrote_is_not_replaced_by_the_command_that_reads_it(place):
    done("params", "list", "pk.txt", "--csv", "mine.csv")
    error = refused("simulate", "pk.txt", "--parameters", "mine.csv", "--days", "1", "--csv", "mine.csv")
    assert "reads the file" in str(error)
    (place / "lib").mkdir()
    done("params", "list", "pk.txt", "--csv", "mine.csv")


def test_a_read_only_file_is_not_replaced(place):
    (place / "out.csv").write_text("")
    (place / "out.csv").chmod(0o444)
    assert "read-only" in str(refused(*SIMULATE, "--csv", "out.csv"))


def test_two_results_of_one_command_need_two_names():
    error = refused(*SIMULATE, "--plot", "a.svg", "--csv", "a.svg")
    assert "same name" in str(error)


def test_without_the_cache_a_result_is_somebody_elses(place):
    import shutil

    done(*SIMULATE, "--csv", "out.csv")
    shutil.rmtree(place / "cache")
    assert refused(*SIMULATE, "--csv", "out.csv").kinds == ("would-overwrite",)


def test_a_program_that_uses_betapod_decides_itself(place):
    files.write_text(place / "pk.csv", "replaced")
    assert (place / "pk.csv").read_text() == "replaced"


def test_a_figure_is_written_with_its_numbers_or_not_at_all(place):
    (place / "a.plot.csv").write_text("mine")
    refused(*SIMULATE, "--plot", "a.svg")
    assert not (place / "a.svg").exists()


def test_every_verb_that_writes_has_force():
    _register([])
    writing = [info for info in verbs(app) if written(info)]
    assert len(writing) >= 15
    for info in writing:
        import inspect

        assert "force" in inspect.signature(info.callback).parameters, info.name


# -- devices, pipes, links -------------------------------------------------------------------------------------------


def test_a_symbolic_link_is_followed_and_stays(place):
    (place / "deep").mkdir()
    (place / "deep" / "target.csv").write_text("")
    (place / "link.csv").symlink_to("deep/target.csv")
    (place / "broken.csv").symlink_to("deep/new.csv")
    for name, target in (("link.csv", "target.csv"), ("broken.csv", "new.csv")):
        done(*SIMULATE, "--csv", name)
        assert (place / name).is_symlink()
        assert (place / "deep" / target).read_text().startswith("time")


def test_a_loop_of_links_is_a_problem(place):
    (place / "a.csv").symlink_to("b.csv")
    (place / "b.csv").symlink_to("a.csv")
    assert refused(*SIMULATE, "--csv", "a.csv").kinds == ("cannot-write",)


def test_permissions_of_a_file_are_kept(place):
    (place / "out.csv").write_text("")
    (place / "out.csv").chmod(0o600)
    done(*SIMULATE, "--csv", "out.csv")
    assert stat.S_IMODE((place / "out.csv").stat().st_mode) == 0o600


def test_a_pipe_is_written_to(place):
    os.mkfifo(place / "pipe.csv")
    read = []
    reader = threading.Thread(target=lambda: read.append((place / "pipe.csv").read_text()))
    reader.start()
    done(*SIMULATE, "--csv", "pipe.csv")
    reader.join(10)
    assert read[0].startswith("time") and stat.S_ISFIFO((place / "pipe.csv").stat().st_mode)


def test_a_device_is_written_to(place):
    device = place / "null"
    try:
        os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(1, 3))
        device.write_text("")
    except OSError as error:
        pytest.skip(f"a device cannot be made or used here: {error}")
    done(*SIMULATE, "--csv", "null")
    assert stat.S_ISCHR(device.stat().st_mode)


def run(*arguments, **options):
    order = [sys.executable, "-m", "betapod", *arguments]
    return subprocess.run(order, capture_output=True, text=True, timeout=120, **options)


@pytest.mark.parametrize("name", ["-", "/dev/stdout", "/proc/self/fd/1", "/dev/fd/1", "link"])
def test_standard_output_is_a_place(place, name):
    if name == "link":
        (place / "link").symlink_to("/proc/self/fd/1")
    found = run("model", "export", "pk.txt", "--as", "md", "-o", name)
    assert found.returncode == 0, found.stderr
    assert found.stdout.startswith("# ") and "Traceback" not in found.stderr


def test_standard_output_that_is_a_file_stays_open(place):
    with (place / "all.txt").open("w") as target:
        target.write("before\n")
        target.flush()
        order = [sys.executable, "-m", "betapod", "model", "export", "pk.txt", "--as", "md", "-o", "/dev/stdout"]
        subprocess.run(order, stdout=target, check=True, timeout=120)
        target.write("after\n")
    text = (place / "all.txt").read_text()
    assert text.startswith("before\n# ") and text.endswith("after\n")


@pytest.mark.parametrize("name", ["x" * 2000, "x" * 300 + ".csv", "no/such/folder.csv", "pk.txt/x.csv", "."])
def test_names_that_cannot_be_written_are_problems_before_the_work(name):
    assert refused(*SIMULATE, "--csv", name).kinds == ("cannot-write",)


def test_a_long_name_that_the_disk_takes_is_taken(place):
    name = "x" * 250 + ".csv"
    done(*SIMULATE, "--csv", name)
    assert (place / name).exists()


def test_nothing_is_noted_outside_of_a_command(place):
    assert overwriting.refusal(place / "pk.csv") is None
    with pytest.raises(ConfigError), files.replacing(place / "no" / "x"):
        pass

"""Printing is an act that can fail: full disks, closed streams, poor encodings, readers that go; each has its word and its code."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from betapod.base import files
from betapod.base.atomic import StoreError, writing
from betapod.base.errors import ConfigError, OutputError
from betapod.cli import main as cli

SHORT = ["model", "list"]
LONG = ["schema", "trial"]


def run(*arguments, text=True, **options):
    order = [sys.executable, "-m", "betapod", *arguments]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.run(order, text=text, timeout=120, check=False, **options)


def environment(**more):
    return {**os.environ, **more}


@pytest.mark.parametrize("verb", [LONG, ["--help"]], ids=" ".join)
def test_a_full_disk_behind_standard_output_is_said(verb):
    if not Path("/dev/full").exists():
        pytest.skip("there is no device that is always full here")
    with Path("/dev/full").open("w") as full:
        done = run(*verb, stdout=full)
    assert done.returncode == 3
    assert "cannot print the results: no space left on device" in done.stderr and "Traceback" not in done.stderr
    assert "report it" not in done.stderr


def shell(command, **more):
    return subprocess.run(
        ["sh", "-c", command.replace("betapod", f"'{sys.executable}' -m betapod")],
        capture_output=True, text=True, timeout=120, check=False, **more,
    )  # fmt: skip


def test_closed_streams_swallow_what_is_printed():
    assert (done := shell("betapod model list >&-")).returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert shell("betapod model check nothing.txt 2>&-").returncode == 2
    assert shell("betapod model check nothing.txt >&- 2>&-").returncode == 2


def test_a_file_does_not_get_what_was_printed_to_a_closed_stream(tmp_path):
    done = shell(f"betapod schema trial -o {tmp_path}/schema.json >&- 2>&-")
    assert done.returncode == 0
    assert (tmp_path / "schema.json").read_text().startswith("{")


def test_a_reader_that_goes_is_no_error():
    done = shell("betapod schema trial | head -1; exit ${PIPESTATUS:-0}")
    assert "Traceback" not in done.stderr and "Broken" not in done.stderr


def test_a_reader_that_goes_early_leaves_the_exit_code_of_success():
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        done = subprocess.run(
            [sys.executable, "-m", "betapod", "evidence", "show", "PACKHAM2016"], stdout=pipe, stderr=subprocess.PIPE,
            timeout=120, check=False,
        )  # fmt: skip
    assert done.returncode == 0 and b"Traceback" not in done.stderr


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
@pytest.mark.parametrize(
    "verb", [["evidence", "show", "PACKHAM2016"], ["model", "show", "kidney", "Filtration"]],
    ids=lambda words: words[0] + words[1],
)  # fmt: skip
def test_letters_that_an_encoding_lacks_are_spelt_out(verb, encoding):
    done = run(*verb, text=False, env=environment(PYTHONIOENCODING=encoding, PYTHONUTF8="0"))
    assert done.returncode == 0 and b"Traceback" not in done.stderr
    assert len(done.stdout.decode(encoding)) > 100 and b"\\u" not in done.stdout


def test_a_course_is_drawn_in_digits_where_there_are_no_bars():
    words = ["simulate", "topp2000", "--days", "30", "--outputs", "glucose", "--set", "glucose_start=200", "--wide"]
    done = run(*words, text=False, env=environment(PYTHONIOENCODING="ascii", PYTHONUTF8="0"))
    head, rule, course = done.stdout.decode("ascii").splitlines()[:3]
    assert set(rule) == {"-"} and course.split()[6].strip("12345678") == "" and course[head.index("course")] == "8"


def test_half_a_character_in_an_argument_is_told_and_not_crashed_upon():
    order = [sys.executable.encode(), b"-m", b"betapod", b"model", b"check", b"\xff\xfe.txt"]
    done = subprocess.run(order, capture_output=True, timeout=120, check=False)
    assert done.returncode == 2 and b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["model", "check", "x" * 2000], ["simulate", "x" * 300 + ".txt"], ["trial", "check", "x" * 2000], ["run", "x" * 5000],
        ["ensemble", "run", "kidney", "-n", "x" * 2000, "-o", "out"], ["ensemble", "run", "x" * 2000, "-n", "2", "-o", "out"],
        ["ensemble", "run", "kidney", "-n", "2", "-o", "x" * 2000], ["run", "dn61", "-r", "2", "-o", "x" * 2000],
        ["report", "x" * 2000], ["resume", "x" * 2000], ["ensemble", "summary", "x" * 2000], ["patients", "check", "x" * 2000],
        ["evidence", "list", "--overlay", "x" * 2000], ["params", "diff", "kidney", "x" * 2000], ["patients", "like", "x" * 2000],
        ["merge", "x" * 2000], ["model", "check", "/proc/self/mem"], ["model", "check", "pk.txt/x"],
    ],
    ids=lambda words: f"{words[0]}-{words[1][:8]}-{words[-1][:8]}",
)  # fmt: skip
def test_names_that_the_system_refuses_are_problems(tmp_path, monkeypatch, words):
    from typer.testing import CliRunner

    monkeypatch.chdir(tmp_path)
    (tmp_path / "pk.txt").write_text("")
    monkeypatch.setattr(sys, "argv", ["betapod", *words])
    runner = CliRunner()
    with runner.isolation():
        assert cli._carry_out(words) == 2, words


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        ImportError("libscipy_openblas64_.so: failed to map segment from shared object"),
        ImportError("x.so: cannot map zero-fill pages: Cannot allocate memory"),
    ],
    ids=["MemoryError", "segment", "pages"],
)
def test_too_little_memory_is_called_that(monkeypatch, capsys, error):
    def fail(*_):
        raise RuntimeError("while something was loaded") from error

    monkeypatch.setattr(cli, "_register", fail)
    assert cli._carry_out(["model", "list"]) == 3
    told = capsys.readouterr().err
    assert "out-of-memory" in told and "Traceback" not in told


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fails_is_one_kind_everywhere(tmp_path, number):
    def full():
        raise OSError(number, os.strerror(number))

    with pytest.raises(OutputError), files.replacing(tmp_path / "x.csv"):
        full()
    with pytest.raises(StoreError) as caught, writing(tmp_path):
        full()
    assert isinstance(caught.value, OutputError)
    assert isinstance(cli._unusable(OSError(number, "x", "file")), OutputError)
    assert list(tmp_path.iterdir()) == []


def test_no_permission_is_the_users_affair(tmp_path):
    with pytest.raises(ConfigError), files.replacing(tmp_path / "x.csv"):
        raise PermissionError(errno.EACCES, "no")


@pytest.mark.parametrize("made", [False, True])
def test_the_command_that_continues_is_the_right_one(tmp_path, capsys, made):
    import typer

    from betapod.base.errors import Problem
    from betapod.cli.running import breaking

    folder = tmp_path / "my run"
    if made:
        folder.mkdir()
        (folder / "manifest.json").write_text("{}")
    with pytest.raises(typer.Exit) as caught, breaking("resume", folder=folder):
        raise StoreError(Problem("disk-full", "full"))
    told = capsys.readouterr().err
    assert caught.value.exit_code == 3
    assert (f"betapod resume '{folder}'" in told) == made and ("the same command" in told) != made


@pytest.mark.parametrize(
    "words",
    [
        ["evidence", "check", "zero"], ["evidence", "list", "--overlay", "zero"], ["patients", "check", "zero"],
        ["patients", "show", "--library", "zero"], ["trial", "check", "zero"], ["simulate", "kidney", "--parameters", "zero"],
        ["resume", "zero"], ["ensemble", "summary", "zero"], ["report", "zero"],
    ],
    ids=lambda words: " ".join(words[:2]),
)  # fmt: skip
def test_a_file_without_end_is_not_read_to_its_end(tmp_path, monkeypatch, words):
    """A sparse file of 3 GB, as /dev/zero but with an end should this fail."""
    from typer.testing import CliRunner

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("betapod.patients.library._LARGEST", 10_000_000)
    with Path("zero").open("wb") as file:
        file.truncate(3_000_000_000)
    monkeypatch.setattr(sys, "argv", ["betapod", *words])
    with CliRunner().isolation():
        assert cli._carry_out(words) == 2, words


def test_equations_saved_by_windows_are_read(tmp_path):
    (tmp_path / "m.txt").write_bytes(b"\xef\xbb\xbfdA/dt = -k*A [mg/day] amount\r\nA(0) = A0 [mg] start\r\n")
    (tmp_path / "m.csv").write_text("id,value,unit\nk,1.5,1/day\nA0,1,mg\n")
    assert run("model", "check", tmp_path / "m.txt").returncode == 0

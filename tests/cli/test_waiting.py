"""Words while something takes long."""

from __future__ import annotations

import threading
import time

import pytest

from betapod.cli import waiting as words


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


@pytest.fixture(autouse=True)
def _fresh_console() -> None:
    from betapod.cli.shared import err

    err.cache_clear()


def until(condition: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return what was said until something was, for ten seconds at most."""
    said: list[str] = []
    for _ in range(200):
        time.sleep(0.05)
        said += lines(capsys)
        if any(condition in line for line in said):
            return said
    raise AssertionError(f"{condition!r} was not said, but {said}")


def test_a_log_is_told_how_far_it_is(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "PATIENCE", 0.05)
    with words.show_progress(False) as progress:
        assert progress is not None
        assert "starting (0 s so far)" in until("starting", capsys)
        progress("simulating", 3, 9)
        assert "simulating: 3 of 9 (0 s so far)" in [line.replace("(1 s", "(0 s") for line in until("3 of 9", capsys)]
        progress("writing", 0, 0)
        until("writing (", capsys)
    time.sleep(0.2)
    lines(capsys)
    time.sleep(0.2)
    assert lines(capsys) == []
    assert not [each for each in threading.enumerate() if each.name == "betapod-waiting"]


def test_what_is_quick_or_quiet_is_silent(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with words.waiting("assembling"), words.show_progress(False) as progress:
        assert progress is not None
        progress("simulating", 1, 2)
    monkeypatch.setattr(words, "PATIENCE", 0.01)
    with words.show_progress(True) as nothing:
        assert nothing is None
        time.sleep(0.1)
    assert lines(capsys) == []


def test_an_error_ends_the_words(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "PATIENCE", 0.02)
    with pytest.raises(RuntimeError), words.waiting("working"):
        until("working", capsys)
        raise RuntimeError
    time.sleep(0.2)
    lines(capsys)
    time.sleep(0.1)
    assert lines(capsys) == []

"""What may follow from broken input: work done, or an error that betapod raises on purpose. Anything else is a fault."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .mutations import Choose, damaged_bytes, damaged_text, pick
from .readers import Reader

#: The longest that an answer may take: s of processor time, since a machine may be busy with other work.
LIMIT = 10
#: And by the clock, s, for an answer that waits for something that never comes.
PATIENCE = 120


class Hang(BaseException):
    """An answer took longer than `LIMIT`."""


class Fault(AssertionError):
    """An answer that no user should see."""


@contextlib.contextmanager
def in_time() -> Iterator[None]:
    """Raise `Hang` in the main thread when an answer takes too long; elsewhere, and where there are no alarms, wait."""

    def stop(number: int, frame: object) -> None:
        raise Hang(
            f"no answer in {LIMIT} s of processor time" if number == signal.SIGPROF else f"no answer in {PATIENCE} s"
        )

    try:
        before = {number: signal.signal(number, stop) for number in (signal.SIGPROF, signal.SIGALRM)}
    except (ValueError, AttributeError):
        yield
        return
    signal.setitimer(signal.ITIMER_PROF, LIMIT)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass(frozen=True)
class Answer:
    """What a command said and with which code it ended."""

    arguments: tuple[str, ...]
    code: int
    stdout: str
    stderr: str


def command(arguments: Sequence[str], folder: Path) -> Answer:
    """Run a command line in this process, in a folder."""
    from betapod.cli import main as cli

    before, home = sys.argv, Path.cwd()
    said, told = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
    code: object = 0
    try:
        os.chdir(folder)
        sys.argv = ["betapod", *arguments]
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(told):
            try:
                cli.main()
            except SystemExit as ended:
                code = ended.code
    finally:
        sys.argv = before
        os.chdir(home)
    texts = []
    for stream in (said, told):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode("utf-8", "replace"))  # type: ignore[attr-defined]
    return Answer(tuple(arguments), code if isinstance(code, int) else 0 if code is None else 1, texts[0], texts[1])


def judged(answer: Answer) -> Answer:
    """Return an answer that is one, or raise `Fault`."""
    wrong = "internal error" in answer.stderr or "Traceback (most recent" in answer.stderr
    if wrong or answer.code not in (0, 2):
        raise Fault(
            f"betapod {' '.join(map(ascii, answer.arguments))[:400]}: code {answer.code}\n{answer.stderr[-1500:]}"
        )
    return answer


def try_file(reader: Reader, seeds: Sequence[bytes], choose: Choose) -> str:
    """Damage a file, read it, and return "read" or "refused"; nothing may be left beside the file, and the file must stay as it was.

    Raises
    ------
    Fault, Hang
        The answer is a traceback, or takes too long.
    """
    seed = pick(choose, seeds)
    data = damaged_text(seed.decode(), choose) if reader.text else damaged_bytes(seed, choose)
    return read_bytes(reader, data)


def read_bytes(reader: Reader, data: bytes) -> str:
    """Have a reader read some bytes and judge the answer."""
    from betapod.base.errors import BetapodError

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"input{reader.suffix}"
        path.write_bytes(data)
        try:
            with in_time(), contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
                reader.read(path)
        except BetapodError as error:
            if not error.problems or any(not problem.message for problem in error.problems):
                raise Fault(f"{reader.name}: an error without words") from error
            result = "refused"
        except (Fault, Hang):
            raise
        except Exception as error:
            lines = "".join(traceback.format_exception(error)[-4:])
            raise Fault(f"{reader.name}: {type(error).__name__}: {str(error)[:200]}\n{lines}") from error
        else:
            result = "read"
        if path.exists() and path.read_bytes() != data:
            raise Fault(f"{reader.name}: the input was changed")
    return result

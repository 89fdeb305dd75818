"""Processes that calculate for the server, one thing at a time each: begun when first needed, ended when they take too long."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from typing import Any

from ..base.errors import Problem
from .problem_answers import Refusal

#: Requests that may wait for a process (a choice: more would wait for minutes).
MOST_WAITING = 16
#: Seconds that a calculation may take, also on a machine that does much else (a choice).
LONGEST = 120.0
#: Seconds until a waiting request should be repeated.
_AGAIN = 10


class Calculators:
    """A few processes that answer what `calculations` lists.

    Parameters
    ----------
    most
        Processes at the same time.
    """

    def __init__(self, most: int = 2) -> None:
        self._idle: list[subprocess.Popen[str]] = []
        self._all: set[subprocess.Popen[str]] = set()
        self._places = threading.Semaphore(most)
        self._lock = threading.Lock()
        self._waiting = 0

    def answer(self, name: str, asked: dict[str, Any], limit: float = LONGEST) -> dict[str, Any]:
        """Return the answer of a calculation.

        Parameters
        ----------
        name, asked
            As of `calculations.CALCULATIONS`.
        limit
            Seconds after which it is given up.

        Raises
        ------
        Refusal
            Everything that is wrong with what was asked; too many requests at once; it took too long; an error of the program.
        """
        with self._place():
            process = self._begun()
            timer = threading.Timer(limit, process.kill)
            timer.start()
            try:
                assert process.stdin is not None and process.stdout is not None
                process.stdin.write(json.dumps({"name": name, "asked": asked}) + "\n")
                process.stdin.flush()
                line = process.stdout.readline()
            except (OSError, ValueError):
                line = ""
            finally:
                in_time = timer.is_alive()
                timer.cancel()
            if not line or not in_time:
                self._dropped(process)
            if not line:
                raise _given_up(limit) if not in_time else _broken_off(name, process.wait())
            if in_time:
                with self._lock:
                    self._idle.append(process)
        return _answer_in(name, json.loads(line))

    @contextlib.contextmanager
    def _place(self) -> Any:
        with self._lock:
            if self._waiting >= MOST_WAITING:
                message, hint = "too many requests are waiting", f"Ask again in {_AGAIN} seconds."
                raise Refusal(429, Problem("too-many", message, hint=hint), {"Retry-After": str(_AGAIN)})
            self._waiting += 1
        try:
            with self._places:
                yield
        finally:
            with self._lock:
                self._waiting -= 1

    def _begun(self) -> subprocess.Popen[str]:
        with self._lock:
            while self._idle:
                process = self._idle.pop()
                if process.poll() is None:
                    return process
                self._all.discard(process)
            command = [sys.executable, "-m", f"{__package__}.calculating"]
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
            )
            self._all.add(process)
            return process

    def _dropped(self, process: subprocess.Popen[str]) -> None:
        with self._lock:
            self._all.discard(process)
        _ended(process)

    def close(self) -> None:
        """End the processes."""
        with self._lock:
            processes, self._all, self._idle = list(self._all), set(), []
        for process in processes:
            _ended(process)


def _ended(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()


def _given_up(limit: float) -> Refusal:
    message, hint = f"this takes longer than {limit:g} seconds", "Ask for less, or use the command line."
    return Refusal(422, Problem("took-too-long", message, hint=hint))


def _broken_off(name: str, code: int) -> Refusal:
    print(f"betapod serve: the process of {name} ended with {code}", file=sys.stderr, flush=True)
    return Refusal(500, Problem("internal-error", "the calculation broke off; the server's own output says more"))


def _answer_in(name: str, reply: dict[str, Any]) -> dict[str, Any]:
    if "problems" in reply:
        raise Refusal(507 if reply["broken"] else 422, reply["problems"])
    if "internal" in reply:
        print(f"betapod serve: {name}\n{reply['internal']}", file=sys.stderr, flush=True)
        raise Refusal(500, Problem("internal-error", "an error of the program; the server's own output says more"))
    answer: dict[str, Any] = reply["answer"]
    return answer

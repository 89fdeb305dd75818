"""The process that calculates for the server: one request a line comes in, one answer a line goes out, until the server is gone."""

from __future__ import annotations

import json
import math
import os
import queue
import sys
import threading
import traceback
from typing import Any, TextIO

from ..base.clinical import read_as
from ..base.errors import BetapodError, OutputError, Problem
from .calculations import CALCULATIONS
from .problem_facts import as_facts


def json_values(value: Any) -> Any:
    """Return a value as JSON holds it; numbers that JSON has not become null."""
    if isinstance(value, dict):
        return {str(key): json_values(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [json_values(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, (str, bool, int)):
        return value
    return json_values(value.item()) if hasattr(value, "item") else str(value)


def answered(name: str, asked: dict[str, Any]) -> dict[str, Any]:
    """Return the answer of a calculation, or what is wrong with what was asked."""
    try:
        with read_as() as sentences:
            answer = CALCULATIONS[name](asked)
        return {"answer": json_values({**answer, "read_as": sentences} if sentences else answer)}
    except BetapodError as error:
        return {
            "problems": [as_facts(problem) for problem in error.problems],
            "broken": isinstance(error, OutputError),
        }
    except (MemoryError, RecursionError) as error:
        lacking = "memory" if isinstance(error, MemoryError) else "room for so deep a text"
        problem = Problem("too-large", f"there is not enough {lacking}", hint="Ask for less at once.")
        return {"problems": [as_facts(problem)], "broken": False}
    except Exception:
        return {"internal": traceback.format_exc()}


def lines_until_end(stream: TextIO) -> queue.SimpleQueue[str]:
    """Return a queue of the lines of a stream; when it ends, this process does, whatever it is at."""
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def read() -> None:
        for line in stream:
            lines.put(line)
        # The server is gone, also where it had no time to say so.
        os._exit(0)

    threading.Thread(target=read, daemon=True, name="betapod-server-lines").start()
    return lines


def own_output() -> TextIO:
    """Return the stream of the answers; what libraries print goes to the errors."""
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return stream


def calculate() -> None:
    """Answer requests until there are no more."""
    answers, lines = own_output(), lines_until_end(sys.stdin)
    while True:
        request = json.loads(lines.get())
        answers.write(json.dumps(answered(request["name"], request["asked"])) + "\n")
        answers.flush()


if __name__ == "__main__":
    calculate()

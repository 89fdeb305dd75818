"""The process that runs one trial into its folder; it says how far it is, a line at a time, and ends when the server does."""

from __future__ import annotations

import json
import sys
import traceback
from pathlib import Path
from typing import Any, TextIO

from ..base.atomic import remove_leftovers
from ..base.clinical import read_as
from ..base.errors import BetapodError, Problem
from .calculating import lines_until_end, own_output
from .problem_facts import as_facts
from .trial_plans import requested_plan

#: Files and folders of a trial.
REQUEST, RUN = "request.json", "run"


def run_trial_in(folder: Path, threads: int | None, told: TextIO) -> None:
    """Run the trial of a folder, or what it lacks, and tell the server.

    Parameters
    ----------
    folder
        With the request; the run folder is made in it.
    told
        Gets one JSON document a line: how far it is, and at last how it ended.
    """
    from ..trials import run_folder as store

    def tell(content: dict[str, Any]) -> None:
        told.write(json.dumps(content) + "\n")
        told.flush()

    def progress(activity: str, done: int, total: int) -> None:
        tell({"activity": activity, "done": done, "total": total})

    try:
        with read_as():
            run = folder / RUN
            if (run / "manifest.json").exists():
                store.resume(run, threads, progress)
            else:
                asked = json.loads((folder / REQUEST).read_text(encoding="utf-8"))["asked"]
                store.run_into(run, requested_plan(asked), None, threads, progress, ["betapod", "serve"])
    except BetapodError as error:
        tell({"ended": "failed", "problems": [as_facts(problem) for problem in error.problems]})
    except Exception as error:
        lacking = isinstance(error, MemoryError)
        message = "there is not enough memory" if lacking else "an error of the program; the server's output says more"
        print(traceback.format_exc(), file=sys.stderr)
        problem = Problem("out-of-memory" if lacking else "internal-error", message)
        tell({"ended": "failed", "problems": [as_facts(problem)]})
    else:
        # What a killed process had begun to write; when this run began, that process may not have ended yet.
        remove_leftovers(folder)
        tell({"ended": "complete"})


if __name__ == "__main__":
    stream = own_output()
    lines_until_end(sys.stdin)
    run_trial_in(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else None, stream)

"""Trials of the server: one folder each, run one after the other by processes of their own, cancelled, resumed, and still there after a crash.

::

    NAME/request.json     what was asked, title, number of parts
    NAME/protocol.yaml    the protocol as it was sent, or that of the package
    NAME/run/             the run folder, as `betapod run` writes it
    NAME/stopped.json     why it is not complete: cancelled, or failed with its problems
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from ..base.atomic import half_written, write_atomic, writing
from ..base.errors import ConfigError, Location, Problem
from .problem_answers import Refusal
from .problem_facts import as_facts
from .trial_worker import REQUEST, RUN

#: States of a trial; the last four are those in which nothing happens any more by itself.
WAITING, RUNNING = "waiting", "running"
COMPLETE, CANCELLED, FAILED, INTERRUPTED = "complete", "cancelled", "failed", "interrupted"
ENDED = (COMPLETE, CANCELLED, FAILED, INTERRUPTED)
_STOPPED = "stopped.json"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
#: Beginning of the name of a folder that is being made.
_MAKING = ".making-"
#: Seconds that a process may take to end after it was told to.
_PATIENCE = 10.0


@dataclass
class _Worker:
    """A trial that is running."""

    process: subprocess.Popen[str]
    activity: str = "starting"
    done: int = 0
    total: int = 0
    cancelled: bool = False
    ended: dict[str, Any] = field(default_factory=dict)


class TrialRuns:
    """The trials in a folder.

    Parameters
    ----------
    folder
        Where they are; it is made if it is not there.
    threads
        Processor cores of a trial; all by default.

    Raises
    ------
    ConfigError
        The folder cannot be written to, or another server has it.
    """

    def __init__(self, folder: Path, threads: int | None = None) -> None:
        self.folder = folder
        self._threads = threads
        self._lock = threading.RLock()
        self._waiting: deque[str] = deque()
        self._workers: dict[str, _Worker] = {}
        self._closed = False
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._held = _alone(folder)
            for left in folder.glob(f"{_MAKING}*"):
                shutil.rmtree(left, ignore_errors=True)

    # -- what there is ------------------------------------------------------------------------------------------------

    def all_statuses(self) -> list[dict[str, Any]]:
        """Return the states of all trials, the newest first, without what was asked."""
        times = {}
        for path in self.folder.glob(f"*/{REQUEST}"):
            with contextlib.suppress(OSError):
                times[path.parent.name] = path.stat().st_mtime
        states = []
        for name in sorted(times, key=lambda name: -times[name]):
            # A folder that is taken away meanwhile, or whose request cannot be read, is no trial.
            with contextlib.suppress(Refusal):
                states.append({key: value for key, value in self.status(name).items() if key != "asked"})
        return states

    def status(self, name: str) -> dict[str, Any]:
        """Return the state of a trial, how far it is, and what was asked.

        Raises
        ------
        Refusal
            There is no such trial.
        """
        request = self._request(name)
        facts: dict[str, Any] = {"name": name, "title": request["title"], "asked": request["asked"], "problems": []}
        with self._lock:
            worker = self._workers.get(name)
            if worker is not None:
                total = worker.total or request["parts"]
                doing = {"state": RUNNING, "activity": worker.activity, "done": worker.done, "total": total}
                return {**facts, **doing}
            if name in self._waiting:
                ahead = self._waiting.index(name) + len(self._workers)
                return {**facts, "state": WAITING, "activity": f"{ahead} before it", "done": 0, "total": 0}
        folder = self.folder / name
        total, done = request["parts"], len(list((folder / RUN / "receipts").glob("*.json")))
        if (folder / RUN / "summary.json").exists():
            return {**facts, "state": COMPLETE, "activity": "", "done": total, "total": total}
        stopped = _read(folder / _STOPPED)
        state = {"state": INTERRUPTED, "activity": "", "done": min(done, total), "total": total}
        return {**facts, **state, **{key: stopped[key] for key in ("state", "problems") if key in stopped}}

    def run_folder(self, name: str) -> Path:
        """Return the run folder of a trial.

        Raises
        ------
        Refusal
            There is no such trial, or nothing of it was computed yet.
        """
        self._request(name)
        folder = self.folder / name / RUN
        if not (folder / "manifest.json").exists():
            message, hint = "nothing of this trial was computed yet", f"Ask /api/trials/{name} how far it is."
            raise Refusal(409, Problem("incomplete-run", message, Location(name), hint=hint))
        return folder

    def summary(self, name: str) -> dict[str, Any]:
        """Return the summary of a complete trial.

        Raises
        ------
        Refusal
            There is no such trial, or it is not complete.
        """
        status = self.status(name)
        if status["state"] != COMPLETE:
            hint = f"Resume it: POST /api/trials/{name}/resume." if status["state"] in ENDED else "It will be."
            problem = Problem(
                "incomplete-run", "this trial is not complete", Location(name), status["state"], hint=hint
            )
            raise Refusal(409, problem)
        return _read(self.folder / name / RUN / "summary.json")

    def files(self, name: str) -> Iterator[tuple[Path, str]]:
        """Give the files of a run folder with their names in it; none that is being written."""
        folder = self.run_folder(name)
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not half_written(path):
                yield path, path.relative_to(folder).as_posix()

    def _request(self, name: str) -> dict[str, Any]:
        request = _read(self.folder / name / REQUEST) if _NAME.fullmatch(name) else {}
        if not request:
            raise Refusal(404, Problem("unknown-trial", f"there is no trial {name!r}", hint="GET /api/trials has all."))
        return request

    # -- what is done -------------------------------------------------------------------------------------------------

    def start(self, asked: dict[str, Any], plan: dict[str, Any]) -> str:
        """Begin a trial and return its name; the same one that was asked for before is gone on with.

        Parameters
        ----------
        asked
            As of `request_bodies.TrialBody`.
        plan
            As of `calculations.plan_trial`.
        """
        name = str(plan["name"])
        with self._lock:
            if not (self.folder / name / REQUEST).exists():
                self._make(name, asked, plan)
            if self.status(name)["state"] in (CANCELLED, FAILED, INTERRUPTED):
                self._enqueue(name)
        return name

    def _make(self, name: str, asked: dict[str, Any], plan: dict[str, Any]) -> None:
        """Make the folder of a trial, whole or not at all."""
        request = {"title": plan["title"], "parts": plan["parts"], "asked": asked}
        with writing(self.folder):
            making = Path(tempfile.mkdtemp(prefix=_MAKING, dir=self.folder))
            try:
                write_atomic(making / "protocol.yaml", plan["text"].encode(errors="backslashreplace"))
                write_atomic(making / REQUEST, json.dumps(request, indent=1).encode())
                making.chmod(0o755)
                making.rename(self.folder / name)
            finally:
                shutil.rmtree(making, ignore_errors=True)

    def resume(self, name: str) -> None:
        """Go on with a trial that was cancelled, failed or was interrupted; nothing where it is complete or at work."""
        with self._lock:
            if self.status(name)["state"] in (CANCELLED, FAILED, INTERRUPTED):
                self._enqueue(name)

    def cancel(self, name: str) -> None:
        """Stop a trial; what was computed is kept.

        Raises
        ------
        Refusal
            There is no such trial, or it is not at work.
        """
        status = self.status(name)
        with self._lock:
            worker = self._workers.get(name)
            if worker is not None:
                worker.cancelled = True
                _told_to_end(worker.process)
            elif name in self._waiting:
                self._waiting.remove(name)
                self._stop(name, {"state": CANCELLED})
            else:
                problem = Problem("not-at-work", "this trial is not at work", Location(name), str(status["state"]))
                raise Refusal(409, problem)
        if worker is not None:
            _ended_at_last(worker.process)

    def close(self) -> None:
        """End the processes; what they have computed is kept, and can be resumed by the next server."""
        with self._lock:
            self._closed = True
            self._waiting.clear()
            workers = list(self._workers.values())
        for worker in workers:
            _told_to_end(worker.process)
        for worker in workers:
            _ended_at_last(worker.process)
        if self._held is not None:
            self._held.close()

    # -- processes ----------------------------------------------------------------------------------------------------

    def _enqueue(self, name: str) -> None:
        (self.folder / name / _STOPPED).unlink(missing_ok=True)
        self._waiting.append(name)
        self._next()

    def _next(self) -> None:
        """Begin the next trial, if none is running."""
        if self._workers or not self._waiting or self._closed:
            return
        name = self._waiting.popleft()
        command = [sys.executable, "-m", f"{__package__}.trial_worker", str(self.folder / name)]
        command += [str(self._threads)] if self._threads else []
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8", start_new_session=True
        )
        worker = self._workers[name] = _Worker(process)
        threading.Thread(target=self._follow, args=(name, worker), daemon=True, name=f"betapod-{name}").start()

    def _follow(self, name: str, worker: _Worker) -> None:
        """Listen to a process until it ends, and note how."""
        assert worker.process.stdout is not None
        for line in worker.process.stdout:
            content = json.loads(line)
            with self._lock:
                if "ended" in content:
                    worker.ended = content
                else:
                    worker.activity, worker.done = content["activity"], content["done"]
                    worker.total = content["total"] or worker.total
        code = worker.process.wait()
        for stream in (worker.process.stdin, worker.process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        with self._lock:
            if not self._closed:
                self._note(name, worker, code)
            del self._workers[name]
            self._next()

    def _note(self, name: str, worker: _Worker, code: int) -> None:
        if worker.ended.get("ended") == "complete":
            return
        if worker.ended:
            self._stop(name, {"state": FAILED, "problems": worker.ended["problems"]})
        elif worker.cancelled:
            self._stop(name, {"state": CANCELLED})
        else:
            message, hint = f"the process of the trial ended with {code}", "Resume it: what was computed is kept."
            self._stop(name, {"state": FAILED, "problems": [as_facts(Problem("broken-off", message, hint=hint))]})

    def _stop(self, name: str, content: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):
            # Where even this cannot be written, the trial is one that was interrupted.
            write_atomic(self.folder / name / _STOPPED, json.dumps(content, indent=1).encode())


def _read(path: Path) -> dict[str, Any]:
    """Return the content of a file of the server; nothing where there is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _told_to_end(process: subprocess.Popen[str]) -> None:
    if process.stdin is not None:
        with contextlib.suppress(OSError, ValueError):
            process.stdin.close()


def _ended_at_last(process: subprocess.Popen[str]) -> None:
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _alone(folder: Path) -> IO[bytes] | None:
    """Hold a folder for this server, where files can be locked.

    Raises
    ------
    ConfigError
        Another server has it.
    """
    try:
        import fcntl
    except ImportError:
        return None
    file = (folder / ".server.lock").open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        message, hint = "another server has this folder", "End it, or choose another folder."
        raise ConfigError(Problem("folder-in-use", message, Location(str(folder)), hint=hint)) from None
    except OSError:
        return file
    return file

"""The server of the explorer as a process of its own, asked over HTTP."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

#: A trial of a second: twenty patients, two visits.
SMALL = """\
name: small
title: A small trial
population: {size: 60}
patients: 20
arms:
  control: {}
  treated: {therapies: [SGLT2 inhibitor]}
designs:
  parallel: {arms: {treated: 1, control: 1}}
visits:
  - {name: baseline, day: 0 day}
  - {name: month 3, day: 91 day}
measurements: {HbA1c: {}, eGFR: {}}
endpoints:
  primary: {quantity: HbA1c, summary: change, at: month 3}
seed: 5
replicates: 8
"""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def problems(self) -> list[dict[str, Any]]:
        """Everything that is wrong, of an answer that must be a problem document."""
        assert self.headers["content-type"] == "application/problem+json", (self.status, self.body[:300])
        document = self.json
        assert document["status"] == self.status and document["title"] and document["type"] == "about:blank"
        return list(document["problems"])


class Served:
    """A server that runs."""

    def __init__(self, runs: Path, *options: str, environment: Mapping[str, str] | None = None) -> None:
        command = [sys.executable, "-m", "betapod", "serve", "--runs", str(runs), "--no-browser", *options]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **(environment or {})},
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = re.search(r"http://\S+(?=;)", line)
        if found is None:
            self.process.wait()
            assert self.process.stderr is not None
            raise AssertionError(line + self.process.stderr.read())
        self.address, _, fragment = found[0].partition("#")
        self.token = fragment.removeprefix("token=")
        self.port = int(urlsplit(self.address).port or 0)

    def ask(
        self, method: str, path: str, content: Any = None, headers: Mapping[str, str] | None = None, raw: bytes = b""
    ) -> Answer:
        """Return the answer to a request; `content` goes as JSON, `raw` as it is."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        sent = raw if content is None else json.dumps(content).encode()
        more = {"Content-Type": "application/json"} if content is not None else {}
        try:
            connection.request(method, path, sent or None, {**more, **(headers or {})})
            response = connection.getresponse()
            names = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, names, response.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, headers=headers)

    def post(self, path: str, content: Any = None) -> Answer:
        return self.ask("POST", path, content)

    def events(self, name: str) -> Iterator[dict[str, Any]]:
        """Give the states of a trial as they come, until the stream ends."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request("GET", f"/api/trials/{name}/events")
            with connection.getresponse() as response:
                assert response.headers["content-type"].startswith("text/event-stream")
                for line in response:
                    if line.startswith(b"data: "):
                        yield json.loads(line[6:])
        finally:
            connection.close()

    def until(self, name: str, *states: str, patience: float = 120.0) -> dict[str, Any]:
        """Return the state of a trial when it is one of these."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            status = self.get(f"/api/trials/{name}").json
            if status["state"] in states:
                return dict(status)
            time.sleep(0.05)
        raise AssertionError(status)

    def killed(self) -> None:
        """End it as a machine that loses power does."""
        self.process.kill()
        self._reaped()

    def stop(self) -> tuple[int, str]:
        """End it as Ctrl+C does, and return its exit code and what it said of errors."""
        self.process.send_signal(signal.SIGINT)
        return self._reaped()

    def _reaped(self) -> tuple[int, str]:
        _, errors = self.process.communicate(timeout=60)
        return self.process.returncode, errors

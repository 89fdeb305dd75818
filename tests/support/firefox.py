"""Firefox, headless, by its own remote protocol (Marionette): enough to open a file, run a script in it and look."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FIREFOX = next((path for name in ("firefox", "firefox-esr") if (path := shutil.which(name))), None)
#: How long the browser may take to begin, s.
_BEGIN = 60.0


class Firefox:
    """A browser that was begun: messages are `length:JSON`, each with a number that its answer has too."""

    def __init__(self, port: int) -> None:
        self._socket = _connected(port)
        self._number = 0
        self._message()
        self.call("WebDriver:NewSession", capabilities={})

    def call(self, command: str, **parameters: Any) -> Any:
        """Return what the browser answers to a command."""
        self._number += 1
        text = json.dumps([0, self._number, command, parameters])
        self._socket.sendall(f"{len(text.encode())}:{text}".encode())
        _, _, error, answer = self._message()
        assert error is None, error
        return answer

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def open(self, address: str, width: int = 1280) -> None:
        """Open an address in a window of a width, and wait until it is loaded."""
        self.call("WebDriver:SetWindowRect", width=width, height=900)
        self.call("WebDriver:Navigate", url=address)

    def value(self, script: str, *arguments: Any) -> Any:
        """Return what a script returns."""
        return self.call("WebDriver:ExecuteScript", script=script, args=list(arguments))["value"]

    def wait(self, condition: str, seconds: float = 60.0) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + seconds
        while not self.value(f"return Boolean({condition})"):
            assert time.monotonic() < end, f"after {seconds:g} s it is not so: {condition}"
            time.sleep(0.1)

    def _message(self) -> Any:
        head = b""
        while not head.endswith(b":"):
            head += self._socket.recv(1)
        size, body = int(head[:-1]), b""
        while len(body) < size:
            body += self._socket.recv(size - len(body))
        return json.loads(body)


def _connected(port: int) -> socket.socket:
    end = time.monotonic() + _BEGIN
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=120)
        except OSError:
            assert time.monotonic() < end, "Firefox does not answer"
            time.sleep(0.2)


@contextmanager
def begun() -> Iterator[Firefox]:
    """Give a browser with a profile of its own, and end it afterwards."""
    assert FIREFOX is not None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        Path(profile, "user.js").write_text(f'user_pref("marionette.port", {port});\n', encoding="utf-8")
        process = subprocess.Popen(
            [FIREFOX, "--headless", "--marionette", "--no-remote", "--profile", profile],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        browser = None
        try:
            browser = Firefox(port)
            yield browser
        finally:
            if browser is not None:
                browser.close()
            process.terminate()
            process.wait(timeout=30)

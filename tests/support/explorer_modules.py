"""Modules of the explorer in Node: joined as in the page, with what they are given as a constant."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from betapod.exchange.wasm.shipped_kernels import JAVASCRIPT
from betapod.explorer import explorer_page
from betapod.explorer.explorer_page import joined_script

FOLDER = Path(explorer_page.__file__).parent
KERNEL = tuple(JAVASCRIPT / name for name in ("exact.js", "schedules.js", "betapod.js"))


def in_node(script: str, content: Any, tmp_path: Path, *modules: str, before: str = "", kernel: bool = False) -> Any:
    """Return what a script prints that has modules of the page before it; `content` is a constant, `before` stands in for the page."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs Node")
    (tmp_path / "content.json").write_text(json.dumps(content), encoding="utf-8")
    text = joined_script(*(KERNEL if kernel else ()), *(FOLDER / f"{name}.js" for name in modules))
    head = 'import fs from "node:fs";\nconst content = JSON.parse(fs.readFileSync(process.argv[2]));\n'
    (tmp_path / "script.mjs").write_text(f"{head}{before}\n{text}\n{script}", encoding="utf-8")
    done = subprocess.run(
        [node, tmp_path / "script.mjs", tmp_path / "content.json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)

"""The report in a real browser: nothing wider than the screen, no label on another, on a telephone and on a desk."""

from __future__ import annotations

import html
import importlib.util
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from betapod.report.making import make
from betapod.trials import conduct

BROWSER = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="needs Chromium")

PATH = Path(__file__).parents[1] / "trials" / "small_trials.py"
spec = importlib.util.spec_from_file_location("small_trials_of_page", PATH)
small = importlib.util.module_from_spec(spec)
spec.loader.exec_module(small)

#: Looks at the page in a frame as wide as the screen in question, and writes what it finds into its own page.
LOOK = """<!doctype html><body style="margin:0"><iframe id="f" src="%s" width="%d" height="900" style="border:0"></iframe><pre id="o"></pre>
<script>
document.getElementById("f").onload = () => {
  const d = document.getElementById("f").contentDocument, found = {width: d.documentElement.scrollWidth, wide: [], on: [], text: 0};
  for (const e of d.querySelectorAll("p, h1, h2, h3, figure, figcaption, dt, dd, li, .scroll")) {
    const r = e.getBoundingClientRect();
    if (r.width && (r.right > %d + 1 || r.left < -1)) found.wide.push(e.tagName + " " + e.textContent.slice(0, 40));
  }
  for (const svg of d.querySelectorAll("svg")) {
    const frame = svg.getBoundingClientRect();
    const labels = [...svg.querySelectorAll('g[id*="text_"]')].map(g => [g.id, g.getBoundingClientRect()]).filter(x => x[1].width > 0);
    found.text += labels.length;
    for (const [name, r] of labels)
      if (r.left < frame.left - 1 || r.right > frame.right + 1 || r.top < frame.top - 1 || r.bottom > frame.bottom + 1) found.on.push(name + " leaves its figure");
    for (let i = 0; i < labels.length; i++) for (let j = 0; j < i; j++) {
      const a = labels[i][1], b = labels[j][1];
      const w = Math.min(a.right, b.right) - Math.max(a.left, b.left), h = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (w > 1 && h > 1) found.on.push(labels[i][0] + " on " + labels[j][0]);
    }
  }
  document.getElementById("o").textContent = JSON.stringify(found);
};
</script>"""


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    trial = small.protocol(replicates="60")
    run = conduct.run(trial, pool=small.pool(trial))
    return make(run, tmp_path_factory.mktemp("page"), ["report", "small"], quick=True).files[0]


def browse(folder: Path, *arguments: str) -> str:
    command = [str(BROWSER), "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=120, check=False)
    return done.stdout


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_overlaps_or_leaves_the_screen(page: Path, tmp_path: Path, width: int) -> None:
    look = page.parent / f"look-{width}.html"
    look.write_text(LOOK % (page.name, width, width), encoding="utf-8")
    options = ("--allow-file-access-from-files", "--virtual-time-budget=20000", "--window-size=1400,1000", "--dump-dom")
    text = browse(tmp_path, *options, look.as_uri())
    match = re.search(r'<pre id="o">(\{.*?\})</pre>', text, flags=re.DOTALL)
    assert match, text[-500:]
    found = json.loads(html.unescape(match[1]))
    assert found["width"] <= width and not found["wide"], found
    assert found["text"] > 50 and not found["on"], found["on"]


def test_it_prints(page: Path, tmp_path: Path) -> None:
    target = tmp_path / "report.pdf"
    browse(tmp_path, "--no-pdf-header-footer", f"--print-to-pdf={target}", page.as_uri())
    assert target.read_bytes()[:5] == b"%PDF-"
    if shutil.which("pdftotext"):
        text = subprocess.run(["pdftotext", str(target), "-"], capture_output=True, text=True, check=True).stdout
        assert "In brief" in text and "How this report was made" in text
        assert "analysis of covariance" in text  # folded on the screen, open on paper

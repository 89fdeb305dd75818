"""The explorer as somebody meets it: ``python benchmarks/explorer_page.py [--moves N] [--addresses N]``.

Start of ``betapod explore`` with an empty and with a filled cache until the first picture is there, and what was transferred; N moves of a slider, of one
and of four plans over twenty years, until the picture is drawn again; N made-up states, each left and come back to by its address, which must
give the same address and the same table to the last letter. Needs Chromium. Beside times of the clock stands that of the page's own processor thread.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from betapod import write_explorer
from betapod.explorer.explorer_page import explorer_data

#: Moves a slider and waits until the page has simulated, drawn and shown a frame.
MOVE = """async ([label, share]) => {
  const slider = document.querySelector(`input[type=range][aria-label="${label}"]`), low = Number(slider.min), high = Number(slider.max);
  const began = performance.now();
  slider.value = low + share * (high - low);
  slider.dispatchEvent(new Event("input", { bubbles: true }));
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0)));
  return performance.now() - began;
}"""
TABLE = "() => JSON.stringify([location.hash, document.querySelector('#table').textContent, document.querySelector('#notes').textContent])"


def started(browser: Browser, empty: bool, cache: Path) -> None:
    """Print how long it takes from the command to the picture."""
    if empty:
        shutil.rmtree(cache, ignore_errors=True)
    page = browser.new_page()
    sent: list[int] = []
    page.on(
        "response",
        lambda one: sent.append(int(one.headers.get("content-length", 0)) if one.url.startswith("http") else 0),
    )
    begun = time.perf_counter()
    command = [sys.executable, "-m", "betapod", "explore", "--no-browser"]
    server = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "BETAPOD_CACHE": str(cache)}
    )
    try:
        assert server.stdout is not None
        found = re.search(r"http://\S+(?=;)", server.stdout.readline())
        assert found is not None
        served = time.perf_counter()
        fields = Path(f"/proc/{server.pid}/stat").read_text(encoding="utf-8").split()
        processor = (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")
        page.goto(found[0])
        page.wait_for_selector("#charts svg")
        seen = time.perf_counter()
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime")
    finally:
        server.kill()
        server.wait()
        page.close()
    what = "empty" if empty else "filled"
    print(
        f"{what} cache: served after {served - begun:.2f} s ({processor:.2f} s of processor time), first paint {paint:.0f} ms and picture"
    )
    print(f"  {1000 * (seen - served):.0f} ms after asking; {sum(sent) / 1000:.0f} kB transferred", flush=True)


def thread_seconds(session: CDPSession) -> float:
    """Return seconds of processor time of the page's thread so far."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))


def moved(page: Page, count: int, plans: list[dict[str, Any]], address: str) -> None:
    """Print how long moves of a slider take."""
    page.goto("about:blank")
    page.goto(f"{address}#v=person&p=t2d_ckd_a3&y=20&s={json.dumps(plans)}")
    page.wait_for_selector("#charts svg")
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    label = page.locator("#inputs input[type=range]").first.get_attribute("aria-label")
    chance = random.Random(1)
    before, waits = thread_seconds(session), []
    for _ in range(count):
        waits.append(page.evaluate(MOVE, [label, chance.random()]))
    spent = 1000 * (thread_seconds(session) - before) / count
    low, high = np.quantile(waits, [0.5, 0.95])
    print(
        f"{len(plans)} plans, 20 years: {low:.0f} ms from the move to the picture (95 %: {high:.0f}), {spent:.0f} ms of processor time",
        flush=True,
    )


def state(chance: random.Random, data: dict[str, Any]) -> str:
    """Return a made-up address."""
    plans = []
    for _ in range(chance.randint(1, 4)):
        plan: dict[str, Any] = {"drugs": [drug["label"] for drug in chance.sample(data["drugs"], chance.randint(0, 2))]}
        if chance.random() < 0.5:
            plan |= {"cells": chance.choice(data["orders"]), "scenario": chance.choice(data["scenarios"])["name"]}
            plan |= {"scale": round(10 ** chance.uniform(-1, 1), 2)}
        plan["inputs"] = (
            {chance.choice(data["sliders"]): round(chance.uniform(0.1, 200), 3)} if chance.random() < 0.4 else {}
        )
        plans.append(plan)
    outputs = ",".join(chance.sample(["HbA1c", "eGFR", "UACR", "MAP", "GFR", "G", "S_cr"], chance.randint(1, 5)))
    person, years = chance.choice(data["people"])["name"], chance.randint(1, 30)
    return f"v=person&p={person}&y={years}&o={outputs}&d={chance.randint(0, 1)}&s={json.dumps(plans)}"


def come_back_to(page: Page, count: int, address: str) -> int:
    """Open states, leave them and come back by their addresses; return how many were not the same."""
    chance, data, different, longest = random.Random(1), explorer_data(), 0, 0
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_selector("#charts svg")
    show = "async (hash) => { location.hash = hash; await new Promise((done) => setTimeout(done, 0)); await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0))); }"
    for _ in range(count):
        page.evaluate(show, state(chance, data))
        kept = page.evaluate(TABLE)
        own = json.loads(kept)[0]
        page.evaluate(show, "v=person&p=ngt&y=1")
        assert page.evaluate(TABLE) != kept
        page.evaluate(show, own.removeprefix("#"))
        again = page.evaluate(TABLE)
        # What is said of the address itself (of another version, of what there is not) belongs to the first visit.
        different += json.loads(again)[:2] != json.loads(kept)[:2]
        longest = max(longest, len(own))
    print(f"{count} addresses: {different} not the same again; the longest has {longest} letters")
    return different


def main() -> int:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moves", type=int, default=200)
    parser.add_argument("--addresses", type=int, default=1000)
    options = parser.parse_args()
    chromium = next(path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name)))
    with sync_playwright() as play, tempfile.TemporaryDirectory() as folder:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        file = write_explorer(Path(folder, "explorer.html"))
        print(f"the file has {file.stat().st_size / 1e6:.2f} MB")
        for empty in (True, False, False):
            started(browser, empty, Path(folder, "cache"))
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        plan: dict[str, Any] = {"drugs": ["SGLT2 inhibitor"], "inputs": {}}
        for count in (1, 4):
            moved(page, options.moves, [plan] * count, file.as_uri())
        different = come_back_to(page, options.addresses, file.as_uri())
        browser.close()
    return bool(different)


if __name__ == "__main__":
    sys.exit(main())

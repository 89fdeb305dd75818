"""Shipped WebAssembly modules in Chromium: the native engine's numbers of every model, to the last bit."""

from __future__ import annotations

import json

from playwright.sync_api import Browser, Route
from wasm_cases import FILE

from betapod.exchange.wasm.shipped_kernels import JAVASCRIPT, KERNELS

_RUN = """async (cases) => {
  const { load } = await import("/betapod.js");
  const found = {};
  for (const [name, { times, people, doses, switches, outputs }] of Object.entries(cases)) {
    const model = await load(fetch(`/${name}.wasm`));
    const result = model.run({ times, people, doses, switches, outputs });
    const column = (output, i) => Array.from(result.values(output, i), (x) => (Number.isFinite(x) ? x : null));
    found[name] = result.people.map((_, i) => result.outputs.map((output) => column(output, i)));
  }
  return JSON.stringify(found);
}"""


def _answer(route: Route) -> None:
    name = route.request.url.rpartition("/")[2]
    if name.endswith(".wasm"):
        route.fulfill(path=KERNELS / name, content_type="application/wasm")
    elif name.endswith(".js"):
        route.fulfill(path=JAVASCRIPT / name, content_type="text/javascript")
    else:
        route.fulfill(body="<!doctype html><title>models</title>", content_type="text/html")


def test_chromium_gives_the_native_numbers_of_every_shipped_model(browser: Browser) -> None:
    cases = json.loads(FILE.read_text(encoding="utf-8"))
    page = browser.new_page()
    page.route("**/*", _answer)
    page.goto("http://models.invalid/")
    found = json.loads(page.evaluate(_RUN, cases))
    page.close()
    assert found == {name: case["native"]["values"] for name, case in cases.items()}

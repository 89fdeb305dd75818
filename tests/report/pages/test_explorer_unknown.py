"""What is not known of one person's courses: bands of parameters are those of the engine under the same draws, lines of measurement those of the observables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Page

from betapod.engine.ensemble import Ensemble
from betapod.engine.schedule import Schedule
from betapod.explorer.explorer_draws import explorer_draws
from betapod.explorer.explorer_people import shipped_people
from betapod.observables.table import observables
from betapod.physiology import whole_body
from betapod.therapies.effect_factors import scaled_effects
from betapod.therapies.plan import plan

Visit = Callable[..., Page]
#: Days in which a person comes to rest under a set of parameters.
REST = 0.5 * 365.25
ADDRESS = (
    "v=person&p=t2d_micro&y=10&o=eGFR%2CUACR&u=pm&s=%5B%7B%7D%2C%7B%22drugs%22%3A%5B%22SGLT2+inhibitor%22%5D%7D%5D"
)


def opened(visit: Visit, file: Path, address: str, width: int = 1280) -> Page:
    page = visit(file, width, address=address)
    page.wait_for_selector("#charts polygon.band", state="attached", timeout=60_000)
    return page


def test_bands_of_parameters_are_those_of_the_engine(explorer_file: Path, visit: Visit) -> None:
    page = opened(visit, explorer_file, ADDRESS)
    with page.expect_download() as download:
        page.click("#person-csv")
    seen = pd.read_csv(Path(download.value.path()))
    who = next(person for person in shipped_people()["people"] if person["name"] == "t2d_micro")
    model, sets = whole_body.named_model("reference"), explorer_draws()["sets"]
    times = np.concatenate([[0.0], REST + seen["time [day]"].to_numpy()])
    courses, ensemble = [], Ensemble(model, ("eGFR", "UACR"), 1e-6, threads=1)
    for one in [{"values": {}, "drugs": {}}, *sets]:
        values = {**one["values"], **who["values"]}
        with scaled_effects(one["drugs"]):
            planned = plan(model.with_values(who["values"]), who["state"], ["SGLT2 inhibitor"])
        later = Schedule(switches=[replace(item, time=item.time + REST) for item in planned.schedule.switches])
        initial = {name: np.array([value]) for name, value in who["state"].items()}
        result = ensemble.run({name: np.array([value]) for name, value in values.items()}, times, later, initial)
        courses.append(np.asarray(result.values)[0, 1:])
    tables, *under = courses
    for column, name in enumerate(("eGFR", "UACR")):
        course = seen[next(head for head in seen if head.startswith(f"{name} B ["))].to_numpy()
        moved = [own[:, column] - own[0, column] - (tables[:, column] - tables[0, column]) for own in under]
        for end, words in ((0.05, "5 %"), (0.95, "95 %")):
            found = seen[next(head for head in seen if head.startswith(f"{name} B parameters {words}"))].to_numpy()
            assert found == pytest.approx(course + np.quantile(moved, end, axis=0), rel=2e-3, abs=2e-3), (name, words)
        error = observables()[name].relative_error
        low = seen[next(head for head in seen if head.startswith(f"{name} B measurement 5 %"))].to_numpy()
        assert low == pytest.approx(course * np.exp(-1.645 * error))


def test_kinds_are_switched_off_and_kept_in_the_address(explorer_file: Path, visit: Visit) -> None:
    page = opened(visit, explorer_file, ADDRESS, 390)
    assert (
        page.locator("#charts path.edge").count() == 8 and page.evaluate("document.documentElement.scrollWidth") <= 390
    )
    page.uncheck("#unknown-measurement")
    assert page.locator("#charts path.edge").count() == 0 and page.locator("#charts polygon.band").count() == 4
    assert "&u=p&" in page.url
    page.check("#difference")
    assert page.locator("#charts polygon.band").count() == 2
    page.uncheck("#unknown-parameters")
    assert page.locator("#charts polygon.band").count() == 0 and "&u=" not in page.url

"""One small comparison that was run, for all tests of comparisons."""

from __future__ import annotations

from pathlib import Path

import pytest
from shared_folders import made_once

from betapod.value.value_folder import run_value_into
from betapod.value.value_result import ValueResult

PACK = """\
country: example
currency: EUR
price_year: 2024
source: made up for a test
states: {dialysis: {cost: 40000, low: 30000, high: 55000}, hf: 3000, foot_ulcer: 5000}
events: {mi: {cost: 6000, low: 4000, high: 8000}, stroke: 9000}
drugs: {SGLT2 inhibitor: 500}
items: {diabetes care: 1500}
procedures: {infusion: 200}
"""
RUN = """\
title: Cells and an SGLT2 inhibitor
people: {library: type 2 and UACR > 300 mg/g and eGFR < 60 mL/min/1.73m2, size: 24}
comparator: care
strategies:
  care: {}
  cells: {cells: UC-MSC 1e6/kg iv x3 q28d, scenario: none}
  SGLT2 inhibitor: {therapies: [SGLT2 inhibitor]}
horizon: 4
events: [own, ukpds-om2]
draws: 30
cell_draws: 0
care: frozen
country: pack.yaml
budget: {eligible: 1000, uptake: [0.1, 0.2, 0.3]}
scenarios:
  no discounting: {discount: {costs: 0, effects: 0}}
  two years: {horizon: 2}
"""


@pytest.fixture(scope="session")
def value_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a complete comparison."""

    def compare(folder: Path) -> None:
        (folder / "run.yaml").write_text(RUN)
        (folder / "pack.yaml").write_text(PACK)
        run_value_into(folder / "out", folder / "run.yaml", threads=2)

    return made_once(tmp_path_factory, "value", compare)


@pytest.fixture(scope="session")
def compared(value_folder: Path) -> ValueResult:
    """Return its result, as it is read from the folder."""
    from betapod.value.value_folder import open_value_folder

    return open_value_folder(value_folder / "out")

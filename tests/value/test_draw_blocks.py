"""Blocks of draws in processes of their own give what this process gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from betapod.value import draw_blocks
from betapod.value.value_run import run_value_file

RUN = """\
title: a short one
people: {library: type 2 and UACR > 300 mg/g and eGFR < 60 mL/min/1.73m2, size: 20}
comparator: care
strategies:
  care: {}
  SGLT2 inhibitor: {therapies: [SGLT2 inhibitor]}
horizon: 1
draws: 30
cell_draws: 0
care: frozen
one_way: false
"""


def test_other_processes_compute_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "run.yaml").write_text(RUN)
    here = run_value_file(tmp_path / "run.yaml", threads=1)
    monkeypatch.setattr(draw_blocks, "WORTH_PROCESSES", 0)
    there = run_value_file(tmp_path / "run.yaml", threads=2)
    for name in ("years", "life_years", "qalys"):
        assert getattr(there, name)["own"].tolist() == getattr(here, name)["own"].tolist()

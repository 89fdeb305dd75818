"""A small fit under which claims are simulated; its numbers are made up."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from betapod.claims import claim_parameters
from betapod.physiology.installed_fits import FitRecord, FittedUnknown

#: Name, kind, scale of the prior, value before, fitted value, and the value under each draw.
UNKNOWNS: tuple[tuple[str, str, str, float, float, tuple[float, ...]], ...] = (
    ("h_N0", "row", "log", 0.006, 0.0084, (0.007, 0.0084, 0.011, 0.009)),
    ("ARB e_ARB", "drug", "log", 1.0, 0.8, (0.6, 0.8, 1.0, 0.9)),
    ("xi median", "median", "log", 1.0, 1.2, (1.1, 1.2, 1.4, 1.3)),
    ("UACR life", "visit", "log", 0.4, 0.5, (0.4, 0.5, 0.6, 0.5)),
    ("Emax_SI", "cells", "log", 1.0, 0.9, (0.7, 0.9, 1.3, 1.0)),
)
#: Class, SDs shared by a family and of a row alone, scale, fitted rows.
DIFFERENCES = (
    ("ratio", 0.3, 0.4, "log", 12),
    ("level % HbA1c", 0.3, 0.4, "linear", 20),
    ("level mL/min/1.73m2", 1.5, 2.0, "linear", 9),
)


def claims_record(
    folder: Path, unknowns: Sequence[tuple[str, str, str, float, float, tuple[float, ...]]] = UNKNOWNS
) -> FitRecord:
    """Return the record, with what studies differ by in a folder."""
    lines = [",".join(map(str, line)) for line in DIFFERENCES]
    text = "\n".join(["class,tau_family,tau_row,scale,rows", *lines, ""])
    (folder / "discrepancy.csv").write_text(text, encoding="utf-8")
    fitted = tuple(
        FittedUnknown(name, kind, "1", "", scale, 1.0, 0.5, 2.0, start, fit, fit, 0.5, 2.0, 0.1, False)
        for name, kind, scale, start, fit, _ in unknowns
    )
    values = np.array([draws for *_, draws in unknowns]).T
    count, m = len(fitted), len(values)
    empty = np.zeros((0, m), dtype=np.float32)
    return FitRecord("2000.1", folder, {"files": {}}, fitted, np.eye(count), values, values, np.zeros(m), {}, empty)


def install_claims_record(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    unknowns: Sequence[tuple[str, str, str, float, float, tuple[float, ...]]] = UNKNOWNS,
) -> FitRecord:
    """Let claims find the record as the newest fit that is installed."""
    record = claims_record(folder, unknowns)
    monkeypatch.setattr(claim_parameters, "load_fit", lambda name: record)
    monkeypatch.setattr(claim_parameters, "list_fits", lambda: ["2000.1"])
    claim_parameters._drawn.cache_clear()
    claim_parameters._before.cache_clear()
    return record

"""The values that tables had before any fit."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from betapod.physiology import hand_tuned as module
from betapod.physiology import whole_body


def fit(*unknowns: tuple[str, str, float, float]) -> Any:
    """Return a fit with unknowns: name, kind, start and central value."""
    rows = [SimpleNamespace(name=name, kind=kind, start=start, median=now) for name, kind, start, now in unknowns]
    return SimpleNamespace(
        unknowns=rows,
        kinds={row.name: row.kind for row in rows},
        at_start=lambda: {row.name: row.start for row in rows},
    )


def test_what_fits_changed_is_taken_back_to_before_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    kidney = whole_body.named_model("kidney")
    now = {name: kidney.parameters[name].value for name in ("h_N0", "ANP_gain", "w_TGF")}
    fits = {
        "2000.1": fit(
            ("h_N0", "row", 0.004, 0.006), ("SGLT2 inhibitor e_S", "drug", 1.0, 0.9), ("xi", "row", 2.0, 3.0)
        ),
        # The second began where the first had ended; values are written with five digits.
        "2000.2": fit(
            ("h_N0", "row", 0.0060000001, now["h_N0"] * (1 + 4e-6)), ("ANP_gain", "row", 7.0, now["ANP_gain"])
        ),
    }
    monkeypatch.setattr(module, "list_fits", lambda: list(fits))
    monkeypatch.setattr(module, "load_fit", fits.__getitem__)
    before = module.hand_tuned(kidney)
    values = {name: before.parameters[name].value for name in now}
    assert values == {"h_N0": 0.004, "ANP_gain": 7.0, "w_TGF": now["w_TGF"]}
    # A row with another value than the fit gave it is somebody's own.
    own = module.hand_tuned(kidney.with_values({"ANP_gain": 9.0}))
    assert own.parameters["ANP_gain"].value == 9.0 and own.parameters["xi"].value == kidney.parameters["xi"].value

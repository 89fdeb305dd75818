"""A small confrontation that nobody simulated: rows of several kinds, inside and outside, one far out."""

from __future__ import annotations

import math
from typing import Any

from betapod.evidence.records import registry
from betapod.validation.predictions.campaign import Confrontation
from betapod.validation.predictions.prediction import Prediction

PRODUCTS = {"FAR#1": "UC-MSC", "FAR#2": "UC-MSC", "NEAR#1": "BM-MSC", "ALBUMIN#1": "finerenone", "ALBUMIN#2": "control"}
PRODUCTS |= {"FAR#3": "control", "NEAR#2": "BM-MSC", "WEIGHT#1": "control", "PRESSURE#1": "control"}


def prediction(record: str, endpoint: str, observed: float, predicted: float, error: float, **more: Any) -> Prediction:
    scale = more.get("scale", "linear")
    half = 1.6449 * error
    if scale == "log":
        low, high = 100.0 * (math.exp(-half) - 1.0), 100.0 * (math.exp(half) - 1.0)
        low, high = (predicted + low, predicted + high) if more.get("unit") == "%" else (0.4, 1.6)
    else:
        low, high = predicted - half, predicted + half
    z = (observed - predicted) / error
    fields: dict[str, Any] = dict.fromkeys(Prediction.__dataclass_fields__, 0.0)
    fields |= {
        "record": record, "study": record.partition("#")[0], "family": record.partition("#")[0], "endpoint": endpoint,
        "arm": "treated <all>", "form": "change", "weeks": 12.0, "unit": "%", "n": 20, "scale": scale, "anchored": False,
        "observed": observed, "predicted": predicted, "low": low, "high": high, "se_study": error, "printed": True,
        "z": z, "inside": low <= observed <= high, "note": "dose assumed",
    }  # fmt: skip
    return Prediction(**(fields | more))


def found() -> Confrontation:
    """Return predictions under two scenarios, and refusals of one study of the registry."""
    rows = {}
    for scenario, effect in (("none", 0.0), ("seed-claims", -40.0)):
        rows[scenario] = [
            prediction("FAR#1", "HbA1c", -1.0, effect, 0.2),
            prediction("FAR#2", "HbA1c", -0.6, -0.5, 0.2),
            prediction("FAR#3", "HbA1c", -0.3, -0.1, 0.2),
            prediction("NEAR#1", "HbA1c", -0.2, -0.3, 0.2),
            prediction("NEAR#2", "HbA1c", 0.1, -0.2, 0.2),
            prediction("ALBUMIN#1", "UACR", -40.0, -20.0, 0.3, scale="log", form="ratio", z=-0.9),
            prediction("ALBUMIN#2", "UACR", 0.5, 0.9, 0.3, scale="log", unit="mg/g", anchored=True, z=-1.9),
            prediction("WEIGHT#1", "body_weight", -2.0, -1.0, 0.9, unit="kg"),
            prediction("PRESSURE#1", "SBP", -8.0, -1.0, 2.0, unit="mmHg"),
        ]
    refused = [(record, "a baseline, no result") for record in registry.load_registry() if record.study == "ZANG2022"]
    return Confrontation(rows, refused)

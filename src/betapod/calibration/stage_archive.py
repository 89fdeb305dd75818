"""A finished stage of a fit as a file of its folder, so that checks need not search again.

``stages/NAME.npz`` has the arrays, ``stages/NAME.json`` all else. Of several passes the last one is kept.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from ..base import npz
from ..base.atomic import write_atomic, writing
from ..base.errors import ConfigError, Location, Problem
from ..engine.runs.store import finite
from .cut_feedback import StagePrior
from .discrepancy import Discrepancy
from .fit_likelihood import Likelihood
from .fit_rows import FitRows
from .gauss_newton import MapResult
from .posterior import WeightedDraws
from .stage_fit import FitPass, StageFit
from .unknown import Unknown

FOLDER = "stages"
_OF_MAP = ("u", "predicted", "predicted_start", "jacobian", "use", "visited", "visited_predicted")
_OF_ROWS = ("fitted", "observed", "se", "freedom")
_OF_DRAWS = ("u", "predicted", "log_weights")


def write_stage(folder: str | Path, number: int, stage: StageFit) -> None:
    """Keep a stage in the folder of its fit.

    Raises
    ------
    StoreError
        It cannot be written.
    """
    best = stage.map
    arrays = {f"map_{name}": getattr(best, name) for name in _OF_MAP}
    arrays |= {f"rows_{name}": getattr(stage.rows, name) for name in _OF_ROWS}
    arrays |= {f"draws_{name}": getattr(stage.draws, name) for name in _OF_DRAWS}
    arrays |= {"low": best.bounds[0], "high": best.bounds[1], "mean": stage.mean, "covariance": stage.covariance}
    arrays |= {"at_mean": stage.at_mean}
    arrays |= {f"prior_{name}": getattr(stage.prior, name) for name in ("mean", "covariance", "shared")}
    # JSON has no infinity; bounds of unknowns often are.
    unknowns = [{name: _spelt(value) for name, value in asdict(unknown).items()} for unknown in stage.unknowns]
    content = {
        "name": stage.name,
        "held": dict(stage.held),
        "around": stage.passes[-1].around,
        "unknowns": unknowns,
        "rows": {
            field.name: list(getattr(stage.rows, field.name)) for field in fields(FitRows) if field.name not in _OF_ROWS
        },
        "discrepancy": {"family": dict(stage.discrepancy.family), "row": dict(stage.discrepancy.row)},
        "nu": best.likelihood.nu,
        "converged": best.converged,
        "reason": best.reason,
        "ess": stage.draws.ess,
        "khat": stage.draws.khat,
        "left_out": stage.draws.left_out,
        "rounds": list(stage.draws.rounds),
        "linear": stage.draws.linear,
    }
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    target = Path(folder) / FOLDER
    with writing(target):
        target.mkdir(parents=True, exist_ok=True)
        write_atomic(target / f"{number:02d}.npz", buffer.getvalue())
        write_atomic(target / f"{number:02d}.json", (json.dumps(finite(content), indent=1) + "\n").encode())


def read_stages(folder: str | Path) -> list[StageFit]:
    """Return the stages that a fit has finished.

    Raises
    ------
    ConfigError
        There are none, or a file of them is damaged.
    """
    target = Path(folder) / FOLDER
    paths = sorted(target.glob("*.json"))
    try:
        stages = [
            _rebuilt_stage(json.loads(path.read_text(encoding="utf-8")), npz.read_npz(path.with_suffix(".npz")))
            for path in paths
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = "the stages of the fit cannot be read"
        hint = "Give the command that made the fit again: evaluations are kept."
        raise ConfigError(
            Problem("damaged-fit", message, Location(str(target)), str(error).partition("\n")[0], hint=hint)
        ) from None
    if not stages:
        message = "the folder holds no stage of a fit; an installed fit has none"
        raise ConfigError(
            Problem("no-fit", message, Location(str(target)), hint="Check the folder in which it was fitted.")
        )
    return stages


def _rebuilt_stage(content: dict[str, Any], arrays: dict[str, Any]) -> StageFit:
    columns: dict[str, Any] = {name: tuple(values) for name, values in content["rows"].items()}
    rows = FitRows(**columns, **{name: arrays[f"rows_{name}"] for name in _OF_ROWS})
    law = Likelihood(rows, Discrepancy(content["discrepancy"]["family"], content["discrepancy"]["row"]), content["nu"])
    best = MapResult(
        **{name: arrays[f"map_{name}"] for name in _OF_MAP},
        likelihood=law,
        trace=(),
        converged=content["converged"],
        reason=content["reason"],
        bounds=(arrays["low"], arrays["high"]),
    )
    khat = content["khat"]
    return StageFit(
        name=content["name"],
        unknowns=_unknowns(content["unknowns"]),
        rows=rows,
        prior=StagePrior(arrays["prior_mean"], arrays["prior_covariance"], arrays["prior_shared"]),
        held=content["held"],
        passes=(FitPass(best, content["around"], (), 0.0),),
        mean=arrays["mean"],
        covariance=arrays["covariance"],
        draws=WeightedDraws(
            **{name: arrays[f"draws_{name}"] for name in _OF_DRAWS},
            ess=content["ess"],
            khat=np.nan if khat is None else khat,
            left_out=content["left_out"],
            rounds=tuple(content["rounds"]),
            linear=content.get("linear", False),
        ),
        at_mean=arrays["at_mean"],
    )


def _spelt(value: Any) -> Any:
    return str(value) if isinstance(value, float) and not np.isfinite(value) else value


def _unknowns(entries: Sequence[dict[str, Any]]) -> tuple[Unknown, ...]:
    numbers = ("start", "sd", "low", "high")
    spelt: list[dict[str, Any]] = [
        {name: float(value) if name in numbers else value for name, value in entry.items()} for entry in entries
    ]
    return tuple(Unknown(**entry) for entry in spelt)

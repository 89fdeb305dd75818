"""The verb ensemble moments: many virtual patients, of whom moments are kept alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...base.nouns import with_noun
from ..csv_output import CsvOption, given_as_csv
from ..options import DosesOption, ModelArgument, ParametersOption, SettingsOption, SwitchesOption, spelt_out
from ..running import QuietOption, ThreadsOption
from ..shared import JsonOption, print_json, print_text
from ..waiting import show_progress
from .ensemble_options import (
    DeviceOption,
    EnsembleOutputs,
    EnsemblePatients,
    EnsembleTolerances,
    FailAboveOption,
    ModelAndTreatment,
    ensemble_origin,
)
from .ensemble_plan import plan_of
from .ensemble_work import exit_on_failures, moments_as_csv, print_outputs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ...engine.ensemble_summary import EnsembleSummary
    from ...engine.runs.run_plan import RunPlan


@spelt_out
def ensemble_moments_command(
    model: ModelArgument,
    settings: SettingsOption = None,
    doses: DosesOption = None,
    switches: SwitchesOption = None,
    parameters: ParametersOption = None,
    *,
    who: EnsemblePatients,
    output_options: EnsembleOutputs,
    tolerances: EnsembleTolerances,
    quantiles: Annotated[
        bool, typer.Option("--quantiles", help="Add quantiles at the last visit, right to 1/256 of their value.")
    ] = False,
    threads: ThreadsOption = None,
    device: DeviceOption = "cpu",
    csv: CsvOption = None,
    fail_above: FailAboveOption = 0.05,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Simulate virtual patients and keep moments alone.

    Count, mean, SD and range of every output at every visit; no run folder, and memory that does not grow with the patients.
    """
    from ...engine.runs.run_moments import run_moments

    treatment = ModelAndTreatment(model, settings, doses, switches, parameters)
    # Patients are drawn by their numbers, so it makes no difference how many are drawn at a time.
    plan = plan_of(ensemble_origin(treatment, who, output_options, tolerances, shard_size=1))
    with show_progress(quiet) as progress:
        summary = run_moments(plan, threads, device, quantiles, progress)
    document = _document(plan, summary, quantiles)
    unit = plan.model.time_unit
    done = given_as_csv(moments_as_csv(document["outputs"], unit), csv, as_json, text=True)
    if as_json:
        print_json(document)
    elif not done:
        print_text(f"{plan.model.name}: {with_noun(plan.patients, 'virtual patient')}")
        for status, count in document["status"].items():
            print_text(f"  {count:>12,}  {status}")
        for event, count in document["events"].items():
            print_text(f"  {count:>12,}  ended by {event}")
        print_outputs(document["outputs"], document["quantiles"], unit)
        print_text(document["note"], "dim")
    exit_on_failures(document, fail_above)


def _document(plan: RunPlan, summary: EnsembleSummary, quantiles: bool) -> dict[str, Any]:
    """Return moments as a document, as ``summary.json`` of a run folder has them."""
    from ...engine.compiled.workspace import STATUS
    from ...engine.runs.run_plan import NOTE
    from ...engine.runs.summary import QUANTILES

    kept = {name: getattr(summary, name)[0] for name in ("count", "mean", "sd", "low", "high")}
    endings, events = summary.endings[0], summary.ended_by[0]
    outputs = {
        name: {
            "unit": summary.units[name],
            "visits": [
                {"time": float(time)} | {key: _plain(values[visit, number]) for key, values in kept.items()}
                for visit, time in enumerate(summary.times)
            ],
        }
        for number, name in enumerate(summary.names)
    }
    quantile_rows = [summary.quantile(share)[0, -1] for share in QUANTILES] if quantiles else []
    return {
        "model": plan.model.name,
        "patients": plan.patients,
        "visits": len(plan.times),
        "rtol": plan.rtol,
        "atol": plan.atol,
        "status": {name: int(count) for name, count in zip(STATUS, endings, strict=True) if count},
        "failed": summary.failed,
        "events": {name: int(count) for name, count in zip(summary.event_names, events, strict=True) if count},
        "steps": int(summary.steps.sum()),
        "rejected": int(summary.rejected.sum()),
        "outputs": outputs,
        "quantiles": {
            name: {repr(float(plan.times[-1])): [_plain(values[number]) for values in quantile_rows]}
            for number, name in enumerate(summary.names)
            if quantile_rows
        },
        "note": NOTE,
    }


def _plain(number: np.float64 | np.int64 | NDArray[np.float64]) -> float | int | None:
    """Return a number as documents have it, None for none."""
    plain = number.item()
    return None if plain != plain else plain

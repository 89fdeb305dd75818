"""The verb design: boundaries, sizes, power and final inference of group-sequential designs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from ..csv_output import Csv, CsvOption, WideOption, given_as_csv
from ..options import spelt_out
from ..shared import JsonOption, print_fields, print_json, print_note, print_table, print_text, unfit_figure
from . import design_sized
from .design_options import DesignOptions, chance_text, design_document, plain

if TYPE_CHECKING:
    from ...trials.designs.sequential_design import SequentialDesign

design_app = typer.Typer(help="Designs: looks, boundaries, sizes, inference after stopping.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    design_sized.add_design_sizes(design_app)
    app.add_typer(design_app, name="design")


@design_app.command("families")
def design_families_command(csv: CsvOption = None, wide: WideOption = False, as_json: JsonOption = False) -> None:
    """List the families of boundaries, with what each needs to know.

    Into a pipe or a file the list goes as CSV.
    """
    from ...trials.designs.spending import FAMILIES, PARAMETERS

    rows = []
    for code, name in FAMILIES.items():
        parameter, default = PARAMETERS[code][:2] if code in PARAMETERS else ("", None)
        rows.append((code, name, parameter, "" if default is None else f"{default:g}"))
    heads = ("family", "boundaries", "parameter", "default")
    done = given_as_csv(Csv.of(heads, rows), csv, as_json, wide)
    if as_json:
        print_json({"families": [dict(zip(heads, row, strict=True)) for row in rows]})
    if done or as_json:
        return
    print_table(heads, rows, right=("default",), wide=wide)


@design_app.command("boundaries")
@spelt_out
def design_boundaries_command(
    options: DesignOptions,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Draw the boundaries: png or svg, data beside.")
    ] = None,
    csv: CsvOption = None,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Boundaries of a design, what they spend and cost.

    Into a pipe or a file the table goes as CSV. The size of a trial is that of one look times the inflation.
    """
    from ...base.errors import ConfigError
    from ...trials.designs import design_characteristics, stopping_chances

    if problems := unfit_figure(plot):
        raise ConfigError(problems)
    design = options.sequential()
    got = design_characteristics(design)
    chances = stopping_chances(design, [0.0, got.drift])
    table = design.table.assign(
        rejects_h0=chances.rejected[0],
        rejects_h1=chances.rejected[1],
        futile_h0=chances.futile[0],
        futile_h1=chances.futile[1],
    )
    costs = {"drift": got.drift, "inflation": got.inflation, "expected_h1": got.asn_h1, "expected_h01": got.asn_h01}
    costs["expected_h0"] = got.asn_h0
    if plot is not None:
        _draw(design, plot)
    done = given_as_csv(Csv.of(list(table.columns), table.to_numpy().tolist()), csv, as_json, wide)
    if as_json:
        print_json({**design_document(design), "looks": table.to_dict("records"), **costs})
    if done or as_json:
        return
    _print_boundaries(design, table)
    print_fields(
        [
            (
                "columns",
                "share of information; p one-sided; alpha spent; chance to stop with a rejection under the effect",
            ),
            ("inflation", f"{got.inflation:.6f} times the information of one look"),
            (
                "expected",
                f"{got.asn_h1:.4f} under the effect, {got.asn_h01:.4f} under half of it, {got.asn_h0:.4f} under none",
            ),
            ("drift", f"{got.drift:.6f}: effect / standard error at the last look for power {design.power:g}"),
        ]
    )


def _print_boundaries(design: SequentialDesign, table: Any) -> None:
    sides = "one-sided" if design.sides == 1 else "two-sided"
    futility = ""
    if design.has_futility:
        futility = ", futility binding" if design.binding else ", futility not binding"
    print_text(f"{design.title}; {sides} alpha {design.alpha:g}, power {design.power:g}{futility}", "bold", 2)
    rows = []
    for row in table.to_dict("records"):
        cells = [f"{row['look']:.0f}", f"{100 * row['information']:.4g} %", plain(row["efficacy"], ".6f")]
        if design.has_futility:
            cells.append(plain(row["futility"], ".6f"))
        cells += [chance_text(row["level"]), chance_text(row["spent"]), chance_text(row["rejects_h1"])]
        if design.has_futility:
            cells.append(chance_text(row["futile_h0"]))
        rows.append(cells)
    heads = ["look", "share", "z", "p", "spent", "stops H1"]
    if design.has_futility:
        heads = [*heads[:3], "futility", *heads[3:], "futile H0"]
    print_table(heads, rows, right=heads[1:])


def _draw(design: SequentialDesign, path: Path) -> None:
    from ...report.common.figures import save
    from ...report.trial.design_figures import boundary_alt_text, boundary_figure

    figure, data = boundary_figure(design)
    for written in save(figure, path, data, boundary_alt_text(design)):
        print_note(f"wrote {written}")


@dataclass(frozen=True)
class StoppedTrial:
    """What a trial showed when it stopped."""

    heading: ClassVar[str] = "The trial"

    look: Annotated[int, typer.Option("--look", min=1, help="Look at which it stopped, or stands.")]
    estimate: Annotated[
        float,
        typer.Option("--estimate", help="Effect in the direction of the boundary; a log hazard ratio as it is tested."),
    ]
    error: Annotated[float, typer.Option("--se", help="Its standard error.")]
    null: Annotated[float, typer.Option("--null", help="Effect under the null.")] = 0.0
    degrees: Annotated[float | None, typer.Option("--degrees", help="Degrees of freedom of a t statistic.")] = None
    level: Annotated[float, typer.Option("--level", help="Of the interval.")] = 0.95


@design_app.command("inference")
@spelt_out
def design_inference_command(trial: StoppedTrial, options: DesignOptions, as_json: JsonOption = False) -> None:
    """Inference of a trial that stopped, knowing of its looks.

    p, interval and estimate go by the stagewise ordering; the repeated interval and p hold whether the trial stopped or not. Where a trial may
    go on, conditional and predictive power are said as well.
    """
    from ...trials.designs import conditional_power, final_inference, predictive_power, repeated_interval, repeated_p

    design = options.sequential()
    got = final_inference(
        design, trial.look, trial.estimate, trial.error, null=trial.null, level=trial.level, degrees=trial.degrees
    )
    low, high = repeated_interval(design, trial.look, trial.estimate, trial.error, trial.degrees)
    z = (trial.estimate - trial.null) / trial.error
    document: dict[str, Any] = {"z": z, "boundary": design.efficacy[trial.look - 1]}
    document |= {"rejects": z >= document["boundary"] or (design.sides == 2 and -z >= document["boundary"])}
    document |= {name: float(getattr(got, name)[0]) for name in ("p", "estimate", "low", "high")}
    document |= {"level": trial.level, "repeated_low": float(low[0]), "repeated_high": float(high[0])}
    if design.family not in ("user", "asUser", "HP"):
        document["repeated_p"] = float(repeated_p(design, trial.look, z)[0])
    if trial.look < design.looks and not document["rejects"]:
        document["conditional_power"] = float(conditional_power(design, trial.look, z)[0])
        document["conditional_rejection"] = float(conditional_power(design, trial.look, z, 0.0)[0])
        document["predictive_power"] = float(predictive_power(design, trial.look, z)[0])
    if as_json:
        print_json({**design_document(design), "look": trial.look, **document})
        return
    _print_inference(design, trial.look, document)


def _print_inference(design: SequentialDesign, look: int, got: dict[str, Any]) -> None:
    print_text(f"{design.title}, look {look} of {design.looks}", "bold", 2)
    kind = "one-sided" if design.sides == 1 else "two-sided"
    crossed = "the null is rejected" if got["rejects"] else "the boundary is not crossed"
    lines = [
        ("z", f"{got['z']:.6f}, boundary {got['boundary']:.6f}: {crossed}"),
        ("p", f"{got['p']:.6f} {kind}, stagewise ordering"),
        ("estimate", f"{got['estimate']:.6g}, median unbiased"),
        ("interval", f"{got['low']:.6g} to {got['high']:.6g} ({100 * got['level']:g} %)"),
        ("repeated interval", f"{got['repeated_low']:.6g} to {got['repeated_high']:.6g}"),
    ]
    if "repeated_p" in got:
        lines.append(("repeated p", f"{got['repeated_p']:.6f}"))
    if "conditional_power" in got:
        lines += [
            ("if it goes on", f"conditional power {got['conditional_power']:.4f} with the trend seen"),
            ("", f"predictive power {got['predictive_power']:.4f} with a flat prior"),
            ("", f"conditional rejection probability {got['conditional_rejection']:.4f} without effect"),
        ]
    print_fields(lines)

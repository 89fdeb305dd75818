"""Sizes and power of designs on the command line: means, shares, times to events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from ...base.errors import ConfigError, Location, Problem, not_among
from ..completion import starting
from ..csv_output import Csv, CsvOption, WideOption, given_as_csv
from ..options import spelt_out
from ..shared import JsonOption, print_fields, print_json, print_table, print_text
from .design_options import DesignOptions, chance_text, design_document, numbers_in, plain

if TYPE_CHECKING:
    from ...trials.designs.characteristics import StoppingChances
    from ...trials.designs.sequential_design import SequentialDesign
    from ...trials.designs.size_of_design import DesignSize

#: What arms are compared by, and the options that each needs.
COMPARED = {"means": ("effect", "sd"), "rates": ("treated", "control"), "survival": ("hazard_ratio",)}

KindArgument = Annotated[
    str,
    typer.Argument(
        metavar="WHAT",
        help="What arms are compared by: means, rates or survival.",
        autocompletion=lambda incomplete: starting(list(COMPARED), incomplete),
    ),
]


def add_design_sizes(app: typer.Typer) -> None:
    """Add the verbs of sizes to those of designs."""
    app.command("size")(design_size_command)
    app.command("power")(design_power_command)


@dataclass(frozen=True)
class ExpectedEffect:
    """What is expected of the arms."""

    heading: ClassVar[str] = "Effect"

    effect: Annotated[
        str | None, typer.Option("--effect", metavar="NUMBERS", help="Means: expected difference; several for power.")
    ] = None
    sd: Annotated[float | None, typer.Option("--sd", help="Means: standard deviation within arms.")] = None
    treated: Annotated[
        str | None, typer.Option("--treated", metavar="SHARES", help="Rates: share of the treated; several for power.")
    ] = None
    control: Annotated[float | None, typer.Option("--control", help="Rates: share of the control.")] = None
    hazard_ratio: Annotated[
        str | None,
        typer.Option("--hazard-ratio", metavar="RATIOS", help="Survival: treated over control; several for power."),
    ] = None
    ratio: Annotated[float, typer.Option("--ratio", help="Treated patients for one of the control.")] = 1.0
    null: Annotated[
        float | None, typer.Option("--null", help="Effect under the null, or margin; 0, for hazard ratios 1.")
    ] = None
    normal: Annotated[bool, typer.Option("--normal", help="Means: take the standard deviation as known.")] = False

    def values(self, kind: str, several: bool) -> tuple[list[float], dict[str, Any]]:
        """Return the expected effects and the keywords that go with them.

        Raises
        ------
        ConfigError
            No such comparison, or an option that it lacks or has no use for.
        """
        if kind not in COMPARED:
            raise ConfigError(not_among(COMPARED, "bad-option", f"arms cannot be compared by {kind!r}", kind))
        problems: list[Problem] = []
        named = {"effect": self.effect, "sd": self.sd, "treated": self.treated, "control": self.control}
        named["hazard_ratio"] = self.hazard_ratio
        for name, value in named.items():
            option = f"--{name.replace('_', '-')}"
            if name in COMPARED[kind] and value is None:
                problems.append(Problem("missing-option", f"{kind} need {option}", Location(option)))
            if name not in COMPARED[kind] and value is not None:
                problems.append(Problem("useless-option", f"{option} is not for {kind}", Location(option)))
        if self.normal and kind != "means":
            problems.append(Problem("useless-option", f"--normal is not for {kind}", Location("--normal")))
        option = f"--{COMPARED[kind][0].replace('_', '-')}"
        effects = numbers_in(str(named[COMPARED[kind][0]]), option, problems) if not problems else None
        if effects and len(effects) > 1 and not several:
            problems.append(Problem("bad-option", "a size is for one effect", Location(option), str(effects)))
        if problems or effects is None:
            raise ConfigError(problems)
        keywords: dict[str, Any] = {"ratio": self.ratio} | ({} if self.null is None else {"null": self.null})
        return effects, keywords | ({"normal": True} if self.normal else {})


@dataclass(frozen=True)
class SurvivalCourse:
    """How a trial of times to events goes, from which patients or the times of looks follow."""

    heading: ClassVar[str] = "Survival: the course of the trial"

    control_share: Annotated[
        float | None, typer.Option("--control-share", help="Share of the control with an event by the time --by.")
    ] = None
    by: Annotated[float, typer.Option("--by", help="That time, in any unit.")] = 12.0
    accrual: Annotated[float | None, typer.Option("--accrual", help="Time of enrolment, in that unit.")] = None
    follow_up: Annotated[
        float | None, typer.Option("--follow-up", help="From the end of enrolment to the last look.")
    ] = None
    enrolled: Annotated[
        float | None, typer.Option("--enrolled", help="Patients, instead of --follow-up; the times of looks follow.")
    ] = None
    loss: Annotated[float, typer.Option("--loss", help="Share lost by the time --loss-by.")] = 0.0
    loss_by: Annotated[float | None, typer.Option("--loss-by", help="That time; --by by default.")] = None


@spelt_out
def design_size_command(
    kind: KindArgument,
    expected: ExpectedEffect,
    course: SurvivalCourse,
    options: DesignOptions,
    csv: CsvOption = None,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Size of a trial by look, with boundaries as effects.

    Into a pipe or a file the table goes as CSV.
    """
    from ...trials.designs import means_size, rates_size, survival_size

    (effect,), keywords = expected.values(kind, several=False)
    design = options.sequential()
    if kind == "means":
        size = means_size(effect, float(expected.sd or 0.0), design, **keywords)
    elif kind == "rates":
        size = rates_size(effect, float(expected.control or 0.0), design, **keywords)
    else:
        times = {"control_share": course.control_share, "by": course.by, "accrual": course.accrual}
        times |= {"follow_up": course.follow_up, "patients": course.enrolled}
        size = survival_size(effect, design, **keywords, **times, loss=course.loss, loss_by=course.loss_by)  # type: ignore[arg-type]
    table = size.table
    done = given_as_csv(Csv.of(list(table.columns), table.to_numpy().tolist()), csv, as_json, wide)
    if as_json:
        print_json(_size_document(design, size))
    if done or as_json:
        return
    _print_size(design, size)


def _size_document(design: SequentialDesign, size: DesignSize) -> dict[str, Any]:
    document = {name: getattr(size, name) for name in ("counted", "scale", "fixed", "total", "patients", "ratio")}
    document |= {name: getattr(size, name) for name in ("expected_h1", "expected_h01", "expected_h0")}
    if size.patients == size.patients:
        document["treated"], document["control"] = size.whole_patients
    return {**design_document(design), **document, "sizes": size.table.to_dict("records")}


def _print_size(design: SequentialDesign, size: DesignSize) -> None:
    print_text(f"{design.title}; alpha {design.alpha:g}, power {design.power:g}", "bold", 2)
    heads = ["look", size.counted, f"efficacy: {size.scale}"]
    heads += ["futility"] if design.has_futility else []
    heads += ["time"] if size.times else []
    rows = []
    for row in size.table.to_dict("records"):
        cells = [f"{row['look']:.0f}", f"{row[size.counted]:.2f}", plain(row["efficacy"])]
        cells += [plain(row["futility"])] if design.has_futility else []
        rows.append(cells + ([f"{row['time']:.2f}"] if size.times else []))
    print_table(heads, rows, right=heads[1:])
    lines = [("one look", f"{size.fixed:.2f} {size.counted}")]
    lines.append(
        (
            "expected",
            f"{size.expected_h1:.1f} with the effect, {size.expected_h01:.1f} with half of it, {size.expected_h0:.1f} without",
        )
    )
    if size.patients == size.patients:
        treated, control = size.whole_patients
        lines.append(("patients", f"{treated + control}: {treated} treated, {control} control"))
    print_fields(lines)


@spelt_out
def design_power_command(
    kind: KindArgument,
    expected: ExpectedEffect,
    options: DesignOptions,
    size: Annotated[float, typer.Option("--size", help="Patients of both arms, or events, at the last look.")],
    csv: CsvOption = None,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Power of a trial of a given size, for one effect or several.

    Into a pipe or a file the table goes as CSV.
    """
    from ...trials.designs import means_power, rates_power, survival_power

    effects, keywords = expected.values(kind, several=True)
    design = options.sequential()
    if kind == "means":
        chances = means_power(effects, float(expected.sd or 0.0), size, design, **keywords)
    elif kind == "rates":
        chances = rates_power(effects, float(expected.control or 0.0), size, design, **keywords)
    else:
        chances = survival_power(effects, size, design, **keywords)
    _print_power(kind, effects, size, design, chances, csv, wide, as_json)


def _print_power(
    kind: str,
    effects: list[float],
    size: float,
    design: SequentialDesign,
    chances: StoppingChances,
    csv: Any,
    wide: bool,
    as_json: bool,
) -> None:
    counted = "events" if kind == "survival" else "patients"
    table = chances.table.assign(effect=effects, counted=chances.information * size)
    rows = table[["effect", "drift", "power", "counted", "early"]].to_numpy().tolist()
    heads = [COMPARED[kind][0].replace("_", " "), "drift", "power", f"expected {counted}", "stops early"]
    done = given_as_csv(Csv.of(heads, rows), csv, as_json, wide)
    if as_json:
        by_look = [
            {"rejected": r.tolist(), "futile": f.tolist()}
            for r, f in zip(chances.rejected, chances.futile, strict=True)
        ]
        names = ("effect", "drift", "power", "expected", "early")
        powers = [dict(zip(names, row, strict=True)) | looks for row, looks in zip(rows, by_look, strict=True)]
        print_json({**design_document(design), "counted": counted, "size": size, "powers": powers})
    if done or as_json:
        return
    print_text(f"{design.title}; alpha {design.alpha:g}, {size:g} {counted} at the last look", "bold", 2)
    cells = [(f"{e:g}", f"{d:.4f}", chance_text(p), f"{n:.1f}", chance_text(s)) for e, d, p, n, s in rows]
    print_table(heads, cells, right=heads, wide=wide)

"""The verb value: what strategies gain over a life for what they cost."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...base.errors import ConfigError, Location, Problem
from ...base.files import unfit
from ..running import QuietOption, ThreadsOption, breaking, command
from ..shared import JsonOption, print_json, print_note, print_table, print_text, with_noun
from ..waiting import show_progress

if TYPE_CHECKING:
    from ...value.value_result import ValueResult


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command("value")(value_command)


def value_command(
    run: Annotated[
        Path,
        typer.Argument(
            metavar="RUN", help="Run file (YAML), name of a packaged one (dn61), or folder of a finished comparison."
        ),
    ],
    folder: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="Run folder; default: betapod-value-RUN.")
    ] = None,
    draws: Annotated[
        int | None, typer.Option("--draws", min=2, help="Draws of all uncertain numbers; default: the file's own.")
    ] = None,
    country: Annotated[
        Path | None, typer.Option("--country", metavar="FILE", help="Country pack with costs, instead of the file's.")
    ] = None,
    fit: Annotated[
        str | None,
        typer.Option(
            "--fit",
            metavar="NAME",
            help="Installed fit whose posterior is drawn from; default: the newest. none: the values of the tables before their fit.",
        ),
    ] = None,
    fit_draws: Annotated[
        int | None,
        typer.Option(
            "--fit-draws",
            min=0,
            max=64,
            metavar="N",
            help="Sets of parameters of bodies and cells from the fit; each has draws of its own. Default: the file's own number, else none.",
        ),
    ] = None,
    report: Annotated[bool, typer.Option("--report", help="Write the page and its tables into FOLDER/report.")] = False,
    excel: Annotated[
        Path | None, typer.Option("--excel", metavar="FILE", help="Write all tables as a workbook (.xlsx).")
    ] = None,
    new: Annotated[
        bool, typer.Option("--new", help="Write RUN and a country pack to fill in, and compute nothing.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Check RUN and its country packs, and compute nothing.")
    ] = False,
    threads: ThreadsOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Compare strategies over lives: health gained and costs.

    Costs come from a country pack, a file of yours. There is no price of cells in it: the result says at which price a course would be worth
    its money. In a folder that holds the same comparison, it is completed.
    """
    if new:
        _write_new(run)
        return
    if check:
        _check(run, country)
        return
    if excel is not None and (problems := unfit(excel, (".xlsx",))):
        raise ConfigError(problems)
    asked = (fit, fit_draws)
    result, target = _result(run, folder, draws, country, asked, threads, quiet)
    _write_outputs(result, target, report, excel, quiet)
    if as_json:
        print_json({"folder": str(target), **value_summary(result)})
        return
    _print_result(result)
    if not quiet:
        people = with_noun(len(result.weights), "person", "people") if result.weights is not None else "people"
        print_note(f"{people}, {with_noun(result.draws, 'draw')}; results in {target}")


def _result(
    run: Path, folder: Path | None, draws: int | None, country: Path | None, fit: tuple[str | None, int | None],
    threads: int | None, quiet: bool,
) -> tuple[ValueResult, Path]:  # fmt: skip
    from ...value import value_folder

    if run.is_dir():
        if draws is not None or country is not None or folder is not None or fit != (None, None):
            message = "a finished comparison keeps its draws, its country, its fit and its folder"
            raise ConfigError(Problem("useless-option", message, Location(str(run)), hint="Give the run file."))
        return value_folder.open_value_folder(run), run
    target = folder or Path(f"betapod-value-{run.stem}")
    pack = None if country is None else str(country)
    with breaking("value", str(run), "--out", str(target)), show_progress(quiet) as progress:
        command_line = ["betapod", *sys.argv[1:]]
        result = value_folder.run_value_into(target, run, draws, pack, threads, progress, command_line, *fit)
    return result, target


def _write_outputs(result: ValueResult, target: Path, report: bool, excel: Path | None, quiet: bool) -> None:
    if report:
        from ...report.value.value_page import write_value_report

        files = write_value_report(result, target / "report")
        if not quiet:
            print_note(f"{files[0]} written")
    if excel is not None:
        from ...report.value.workbook import write_workbook

        write_workbook(result, excel)


def _write_new(run: Path) -> None:
    from ...base.files import write_text
    from ...value.value_example import PACK_EXAMPLE, run_example

    pack = run.parent / f"{run.stem}-country.yaml"
    taken_names = [path for path in (run, pack) if path.exists()]
    if taken_names:
        problems = [Problem("file-exists", "the file exists", Location(str(path))) for path in taken_names]
        raise ConfigError(problems)
    write_text(run, run_example(pack.name))
    write_text(pack, PACK_EXAMPLE)
    print_note(f"{run} and {pack} written; check them with: {command('value', run, '--check')}")


def _check(run: Path, country: Path | None) -> None:
    from ...value.comparison_checks import read_value_run
    from ...value.country_pack import read_country
    from ...value.fitted_courses import draws_asked

    settings, _ = read_value_run(run)
    draws_asked(settings)
    if country is not None:
        read_country(country)
    structures = with_noun(len(settings.events), "set of events", "sets of events")
    people = with_noun(settings.people.size, "person", "people")
    counts = f"{with_noun(len(settings.strategies), 'strategy', 'strategies')}, {people}, {structures}"
    print_text(f"{run}: good; {counts}, {with_noun(settings.draws, 'draw')}")


def value_summary(result: ValueResult) -> dict[str, object]:
    """Return means with 95 % intervals by structure and strategy, threshold prices, and what is missing, as plain values."""
    from ...report.value.gain_parts import gain_parts_as_dict

    rows: dict[str, object] = {}
    for structure in result.structures:
        rows[structure] = {name: _numbers(result, structure, name) for name in result.strategies}
    return {
        "title": result.run["title"],
        "comparator": result.comparator,
        "currency": result.currency,
        "structures": rows,
        "interval_parts": gain_parts_as_dict(result),
        "threshold_price": _prices(result),
        "missing": list(result.missing),
    }


def _numbers(result: ValueResult, structure: str, name: str) -> dict[str, object]:
    import numpy as np

    content: dict[str, object] = {}
    for measure in ("years", "life_years", "qalys", "costs"):
        values = getattr(result, measure).get(structure)
        if values is None:
            continue
        more = result.increment(structure, measure, name)
        content[measure] = float(values[result.place(name)].mean())
        content[f"{measure}_more"] = float(more.mean())
        content[f"{measure}_more_interval"] = [float(x) for x in np.quantile(more, [0.025, 0.975])]
    content["dialysis_free_years"] = float(result.free_years[structure]["dialysis_free"][result.place(name)].mean())
    errors = result.monte_carlo[structure]
    content["monte_carlo_error_of_qalys_more"] = float(errors["incremental_qalys"][result.place(name)])
    return content


def _prices(result: ValueResult) -> list[dict[str, object]]:
    """Return the price of a course at which it is worth its money, by structure, strategy and willingness to pay."""
    import numpy as np

    from ...value.economics.pricing import threshold_price

    if result.cell_courses is None:
        return []
    rows: list[dict[str, object]] = []
    for structure in result.structures:
        for name, courses in zip(result.strategies, result.cell_courses, strict=True):
            if not courses > 0 or name == result.comparator:
                continue
            gain = result.increment(structure, "qalys", name)
            costs = result.increment(structure, "costs", name) if result.costs else np.zeros_like(gain)
            for amount in result.run["willingness to pay"]:
                prices = threshold_price(gain, costs, float(courses), float(amount))
                low, high = np.quantile(prices, [0.025, 0.975])
                rows.append(
                    {"structure": structure, "strategy": name, "willingness": float(amount)}
                    | {"price": float(prices.mean()), "low": float(low), "high": float(high)}
                )
    return rows


def _print_result(result: ValueResult) -> None:
    """Print what strategies gain, and what a course of cells may cost."""
    print_text(str(result.run["title"]), "bold")
    money = f" {result.currency}" if result.currency else ""
    heads = ["strategy", "life-years", "QALYs", "QALYs gained", *([f"costs{money}"] if result.costs else [])]
    rows, groups = [], []
    for structure in result.structures:
        for name in result.strategies:
            rows.append(_row(result, structure, name))
            groups.append(f"events: {structure}")
    print_table(tuple(heads), rows, right=tuple(heads[1:]), groups=groups)
    prices = _prices(result)
    if prices:
        print_text(f"Price of a course of cells at which it is worth its money{',' if money else ''}{money}")
        print_table(
            ("strategy", "events", "for a QALY", "price", "95 % of draws"),
            [
                (
                    str(row["strategy"]), str(row["structure"]), f"{row['willingness']:,.0f}", f"{row['price']:,.0f}",
                    f"{row['low']:,.0f} to {row['high']:,.0f}",
                )
                for row in prices
            ],
            right=("for a QALY", "price", "95 % of draws"),
        )  # fmt: skip
    for sentence in result.missing:
        print_note(sentence)
    print_note(_trust(result))


def _trust(result: ValueResult) -> str:
    """Say how far published numbers on what strategies give, and lives count, bear the model out."""
    from ...trust.trust_answer import trust_sentence
    from ...trust.trust_lines import question_of_strategies

    return trust_sentence(question_of_strategies(result.run["strategies"]))


def _row(result: ValueResult, structure: str, name: str) -> tuple[str, ...]:
    import numpy as np

    from ...report.common.words import true_minus

    number = result.place(name)
    gain = result.increment(structure, "qalys", name)
    low, high = np.quantile(gain, [0.025, 0.975])
    gained = "-" if name == result.comparator else true_minus(f"{gain.mean():+.2f} ({low:.2f} to {high:.2f})")
    spent = [f"{result.costs[structure][number].mean():,.0f}"] if result.costs else []
    years, qalys = (values[structure][number].mean() for values in (result.years, result.qalys))
    return (name, f"{years:.2f}", f"{qalys:.2f}", gained, *spent)

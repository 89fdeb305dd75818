"""The verb patients: the library of virtual patients, cohorts that resemble real ones, checks of patient tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...base.exports import table_as_csv
from ..completion import complete_cohort, files
from ..csv_output import Csv, CsvOption, WideOption, given_as_csv
from ..shared import JsonOption, print_json, print_note, print_table, print_text, warn, with_noun
from ..tables import rounded
from ..waiting import show_progress
from .patients_selections import selections_command

if TYPE_CHECKING:
    from ...patients.cohorts.comparison import CohortComparison
    from ...patients.library import Library


def _complete_library(incomplete: str) -> list[str]:
    return files(incomplete, (".npz",))


_app = typer.Typer(no_args_is_help=True, help="Virtual patients: library, and cohorts like real ones.")

_LibraryOption = Annotated[
    Path | None,
    typer.Option(
        "--library",
        metavar="FILE",
        help="Library made by 'betapod patients grow'; default: the built-in one.",
        autocompletion=_complete_library,
    ),
]
_OutOption = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="FILE", help="Write the patients: .npz with model states, .csv without."),
]
_SexOption = Annotated[
    str | None,
    typer.Option("--sex-codes", metavar="CODES", help="Meaning of coded sex in a CSV, e.g. 'female=0,male=1'."),
]


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.add_typer(_app, name="patients")
    _app.command("selections")(selections_command)


def _library(path: Path | None) -> Library:
    from ...patients import library

    return library.default() if path is None else library.read_library(path)


def _writable(path: Path, *endings: str) -> None:
    """Refuse a file that cannot be written, before any work."""
    from ...base.errors import ConfigError
    from ...base.files import unfit

    if problems := unfit(path, endings):
        raise ConfigError(problems)


def _write(patients: Library, path: Path) -> None:
    from ...base.files import write_text
    from ...patients.cohorts.cohort_target import UNITS

    if path.suffix.lower() == ".npz":
        patients.save(path)
    else:
        # With units in the header, as every table of people that is read back needs them.
        table = patients.table.rename(columns={n: f"{n} [{unit}]" for n, unit in UNITS.items() if unit != "1"})
        write_text(path, table_as_csv(table, float_format="%.6g"))
    print_note(f"wrote {path}: {with_noun(len(patients), 'patient')}")


@_app.command("grow")
def grow_command(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="Library to write (.npz).")],
    lives: Annotated[int, typer.Option("--lives", "-n", min=1, help="Number of simulated lives.")] = 3000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Random seed; each seed gives different people.")] = 1,
    first: Annotated[
        int, typer.Option("--first", min=0, help="Index of the first life, to extend a library in parts.")
    ] = 0,
    pima: Annotated[bool, typer.Option("--pima", help="Lives of the Pima segment.")] = False,
) -> None:
    """Simulate lives and keep snapshots, with and without diabetes."""
    from ...patients import library
    from ...patients.population import PIMA_FIRST

    path = path if path.suffix else path.with_name(f"{path.name}.npz")
    _writable(path, ".npz")
    with show_progress(False) as told:
        assert told is not None
        grown = library.grow(
            lives, seed, lambda done, total: told("simulating lives", done, total), first + PIMA_FIRST * pima
        )
    _write(grown, path)
    for name, count in grown.origin["implausible"].items():
        print_note(f"left out as implausible: {count} by {name}")


@_app.command("list")
def list_cohorts_command(csv: CsvOption = None, wide: WideOption = False, as_json: JsonOption = False) -> None:
    """List the real cohorts that 'patients like' can imitate.

    Into a pipe or a file the list goes as CSV.
    """
    from ...patients.cohorts import cohort_catalogue

    targets = cohort_catalogue.named_targets()
    heads = ("cohort", "what", "moments", "origin")
    rows = [(name, target.label, str(len(target.moments)), target.origin) for name, target in targets.items()]
    done = given_as_csv(Csv.of(heads, rows), csv, as_json, wide)
    if as_json:
        cohorts = [
            {"name": name, "label": target.label, "moments": len(target.moments), "origin": target.origin}
            for name, target in targets.items()
        ]
        print_json({"cohorts": cohorts})
    elif not done:
        print_table(heads, rows, spare=("origin",), wide=wide)


def _groups(patients: Library) -> dict[str, Any]:
    """Return who is in which group of a library: name -> (n,) flags."""
    diabetes, pima = patients.table["diabetes"] > 0, patients.table["segment"] > 0
    return {"with diabetes": diabetes & ~pima, "without diabetes": ~diabetes & ~pima, "Pima": pima}


@_app.command("show")
def show_library_command(library: _LibraryOption = None, csv: CsvOption = None, as_json: JsonOption = False) -> None:
    """Summarise a library: who is in it, and quantiles in diabetes.

    Where nobody has diabetes, the quantiles are those of everybody. Into a pipe or a file the quantiles go as CSV.
    """
    from ...patients.cohorts.cohort_target import UNITS

    patients = _library(library)
    names = [str(name) for name in patients.table if name != "person"]
    groups = _groups(patients)
    described, whose = groups["with diabetes"], "the first group"
    if not described.any():
        described, whose = ~described, "everybody"
    quantiles = patients.table[names][described].quantile([0.05, 0.25, 0.5, 0.75, 0.95])
    columns = ("column", "unit", "5 %", "25 %", "50 %", "75 %", "95 %")
    units = {name: UNITS.get(name, "1") for name in names}
    done = given_as_csv(Csv.of(columns, [[n, units[n], *map(float, quantiles[n])] for n in names]), csv, as_json)
    if as_json:
        rows = {name: [float(value) for value in quantiles[name]] for name in names}
        document: dict[str, Any] = {"patients": len(patients), "people": int(patients.table["person"].nunique())}
        document |= {"groups": {name: int(flags.sum()) for name, flags in groups.items()}, "quantiles": rows}
        print_json(document | {"origin": patients.origin, "current": patients.current})
        return
    if not patients.current:
        warn("the model has changed since this library was grown")
    if not done:
        print_text(
            f"{with_noun(len(patients), 'patient')}, {with_noun(patients.table['person'].nunique(), 'person', 'people')}"
        )
        print_text(", ".join(f"{name} {flags.sum()}" for name, flags in groups.items()) + f"; quantiles of {whose}")
        lines = [(n, "" if units[n] == "1" else units[n], *(f"{v:.4g}" for v in quantiles[n])) for n in names]
        print_table(columns, lines, right=columns[2:], spare=("unit", "5 %", "95 %"))


@_app.command("check")
def check_patients_command(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="Real patients: a CSV, or a folder of NHANES files.")],
    sex_codes: _SexOption = None,
) -> None:
    """Check a table of real patients: errors, units, conversions."""
    from ...patients.cohorts.nhanes_files import read_people
    from ...patients.cohorts.patient_tables import read_csv

    people = read_people(path) if path.is_dir() else read_csv(path, _codes(sex_codes))
    print_text(f"{len(people.table)} people: {', '.join(str(name) for name in people.table)}", hanging=2)
    for text in people.notes:
        print_text(text, hanging=2)


def _codes(text: str | None) -> dict[str, str] | None:
    from ...patients.cohorts.sexes import parse_codes

    return None if text is None else parse_codes(text)


@_app.command("like")
def like_command(
    what: Annotated[
        str,
        typer.Argument(
            metavar="COHORT",
            help="Name (see 'betapod patients list'), baseline table (.yaml), or real patients (.csv).",
            autocompletion=complete_cohort,
        ),
    ],
    count: Annotated[int, typer.Option("--patients", "-n", min=1, help="Number of patients to select.")] = 1000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Random seed.")] = 1,
    year: Annotated[
        int | None,
        typer.Option(
            "--year", metavar="YEAR", help="Only people, and care, of about that calendar year (1999 to 2024)."
        ),
    ] = None,
    library: _LibraryOption = None,
    path: _OutOption = None,
    csv: Annotated[
        Path | None,
        typer.Option(
            "--csv", metavar="FILE", help="Write every moment, target and found, as CSV; '-' for standard output."
        ),
    ] = None,
    sex_codes: _SexOption = None,
    as_json: JsonOption = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Print every moment, not only the farthest.")
    ] = False,
) -> None:
    """Select patients who together resemble a real cohort.

    How well they do is printed: moments, distributions, correlations, effective sample size.
    """
    from ...patients.cohorts import cohort_catalogue, reweight

    target = cohort_catalogue.load_target(what, _codes(sex_codes), year)
    if path is not None:
        _writable(path, ".npz", ".csv")
    for text in target.notes:
        print_note(text)
    patients = _library(library)
    cohort = reweight.select_patients(patients, target, count, seed)
    if path is not None:
        _write(cohort.patients, path)
    moments = cohort.report.moments
    done = given_as_csv(Csv(lambda: table_as_csv(moments, float_format="%.10g"), len(moments)), csv, as_json, text=True)
    if as_json:
        print_json({"index": cohort.index.tolist(), "report": cohort.report.as_dict()})
        return
    if not done:
        _print(cohort.report, verbose)


def _print(report: CohortComparison, verbose: bool) -> None:
    print_text(
        f"{report.chosen} patients like {report.target}: {report.eligible} of {report.library} eligible, {report.kept} kept, "
        f"effective sample size {report.effective:.0f} ({100 * report.effective_share:.0f} % of those kept)",
        hanging=2,
    )
    if report.repeats:
        warn(f"{report.repeats} are in the cohort more than once: the library has too few who fit")
    worst = report.moments.reindex(
        (report.moments["miss"].abs() / report.moments["tolerance"]).sort_values().index[::-1]
    )
    moments: Any = report.moments if verbose else worst.head(12)
    columns = ("moment", "target", "weighted", "chosen")
    rows = [(r.moment, f"{r.target:.4g}", f"{r.weighted:.4g}", f"{r.chosen:.4g}") for r in moments.itertuples()]
    print_text(f"\nmoments, {'all' if verbose else 'the farthest'} (SDs as squares)")
    print_table(columns, rows, right=columns[1:])
    if len(report.distributions):
        print_text("\ndistributions")
        heads = ("quantity", "target median", "median", "miss [%]", "KS")
        distributions = report.distributions.itertuples(index=False)
        lines = [(str(r[0]), f"{r[1]:.4g}", f"{r[2]:.4g}", rounded(r[3], "+.1f"), f"{r[4]:.3f}") for r in distributions]
        print_table(heads, lines, right=heads[1:])
    far = report.correlations["miss"].abs().fillna(-1.0).to_numpy()
    if len(far) and far.max() >= 0.0:
        pair = report.correlations.iloc[int(far.argmax())]
        print_text(
            f"\nrank correlations: {with_noun(len(far), 'pair')}, farthest {pair['pair']} {rounded(pair['found'], '.2f')} for "
            f"{rounded(pair['target'], '.2f')}",
            hanging=2,
        )
    if len(report.cells):
        cell = report.cells.iloc[int(report.cells["miss"].abs().to_numpy().argmax())]
        print_text(f"KDIGO grid: farthest {cell['cell']} {cell['found']:.1f} % for {cell['target']:.1f} %")
    if report.unmatched:
        print_text("\nnot matched")
        for text in report.unmatched:
            print_text(f"  {text}", hanging=4)

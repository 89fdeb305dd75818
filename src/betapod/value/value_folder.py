"""The folder of a comparison: what is finished is kept piece by piece, and the result when it is complete.

::

    manifest.json           settings, country packs, versions: what determines the numbers
    pieces/0-own-0.npz      sums of some people through some draws
    draws.parquet           one row per structure, strategy, draw and number
    parameters.parquet      one row per draw: every number that was drawn
    people.parquet          one row per structure, strategy and person, at central values
    baseline.parquet        one row per person: what events read at day 0
    result.json             all else; written last
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..base import npz
from ..base.atomic import placed, remove_leftovers, write_atomic, writing
from ..base.cache import program
from ..base.errors import BetapodError, ConfigError, Location, Problem
from ..engine.runs.database import connect, database_error, parquet, sql_path
from ..hazards.risk import Numbers
from .comparison_checks import country_packs, read_value_run
from .draw_blocks import Block
from .fitted_courses import draws_asked, draws_identity
from .value_result import ValueParameter, ValueResult
from .value_run import ValueProgress, adapted_settings, run_value_settings
from .value_settings import ValueSettings

if TYPE_CHECKING:
    import pandas as pd

_MANIFEST, _RESULT, _PIECES = "manifest.json", "result.json", "pieces"
#: Fields of a result that are (strategies, draws) by structure, and by structure and name.
_PLAIN, _NAMED = ("years", "life_years", "qalys", "costs"), ("items", "events", "free_years")
_PEOPLE = ("person_qalys", "person_costs", "person_years")


def run_value_into(
    folder: str | Path,
    path: str | Path,
    draws: int | None = None,
    country: str | None = None,
    threads: int | None = None,
    progress: ValueProgress | None = None,
    command: Sequence[str] = (),
    fit: str | None = None,
    fit_draws: int | None = None,
) -> ValueResult:
    """Run the comparison of a file into a folder; in one that holds the same, compute what is missing.

    Parameters
    ----------
    draws, country, fit, fit_draws
        Instead of those of the file.

    Raises
    ------
    ConfigError
        Everything that is wrong with the file; a folder that holds something else.
    StoreError
        It cannot be written.
    """
    settings, document = read_value_run(path)
    settings, beside = adapted_settings(settings, document, draws, country, fit, fit_draws)
    target = Path(folder)
    identity = _identity(settings, beside)
    _same_comparison(target, identity)
    if (target / _RESULT).is_file():
        with suppress(ConfigError):  # A damaged result is put together again from the pieces.
            return open_value_folder(target)
    existed = target.exists()
    with writing(target):
        (target / _PIECES).mkdir(parents=True, exist_ok=True)
        remove_leftovers(target)
        manifest = {"identity": identity, "command": list(command)}
        write_atomic(target / _MANIFEST, (json.dumps(manifest, indent=1) + "\n").encode())
    try:
        result = run_value_settings(settings, beside, threads, progress, _keeper(target))
    except BetapodError:
        _take_back(target, existed)
        raise
    write_value_result(target, result)
    return result


def _take_back(target: Path, existed: bool) -> None:
    """Leave nothing of a comparison that could not begin; one with a finished piece is kept."""
    if any((target / _PIECES).iterdir()):
        return
    (target / _PIECES).rmdir()
    (target / _MANIFEST).unlink(missing_ok=True)
    if not existed:
        target.rmdir()


def is_value_folder(folder: str | Path) -> bool:
    """Return whether a folder holds a comparison, complete or not."""
    content = _manifest(Path(folder))
    return content is not None and content["identity"].get("kind") == "value"


def _identity(settings: ValueSettings, beside: Path) -> dict[str, Any]:
    packs = country_packs(settings, beside)
    return {
        "kind": "value",
        "run": settings.model_dump(mode="json", by_alias=True),
        "packs": {name: None if pack is None else pack.model_dump(mode="json") for name, pack in packs.items()},
        "program": program("betapod.value.value_run"),
        **({"fit": draws_identity(asked)} if (asked := draws_asked(settings)) else {}),
    }


def _manifest(folder: Path) -> dict[str, Any] | None:
    try:
        content = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    good = isinstance(content, dict) and isinstance(content.get("identity"), dict)
    return content if good else None


def _same_comparison(folder: Path, identity: Mapping[str, Any]) -> None:
    """Check that a folder, if there is something in it, holds this comparison."""
    if not folder.exists():
        return
    content = _manifest(folder)
    if content is None:
        if not folder.is_dir() or any(folder.iterdir()):
            message = "the folder exists and holds no comparison"
            raise ConfigError(Problem("folder-in-use", message, Location(str(folder)), hint="Choose another folder."))
        return
    differs = [name for name, value in identity.items() if content["identity"].get(name) != value]
    if differs:
        message = "the folder holds another comparison"
        text = "different " + ", ".join(differs)
        raise ConfigError(
            Problem("other-run", message, Location(str(folder)), found=text, hint="Choose another folder.")
        )


def _keeper(folder: Path) -> Callable[[tuple[int, str, int], Callable[[], Block]], Block]:
    def keep(key: tuple[int, str, int], compute: Callable[[], Block]) -> Block:
        path = folder / _PIECES / f"{key[0]}-{key[1]}-{key[2]}.npz"
        kept = _read_piece(path)
        if kept is not None:
            return kept
        block = compute()
        buffer = io.BytesIO()
        arrays = {f"{number}|{name}": values for number, rows in enumerate(block) for name, values in rows.items()}
        np.savez(buffer, allow_pickle=False, **arrays)
        with writing(folder):
            write_atomic(path, buffer.getvalue())
        return block

    return keep


def _read_piece(path: Path) -> Block | None:
    """Return a finished piece; None where there is none, or a damaged one."""
    try:
        arrays = npz.read_npz(path.read_bytes())
    except (OSError, ValueError):
        return None
    block: Block = []
    for key, values in arrays.items():
        number, _, name = key.partition("|")
        while len(block) <= int(number):
            block.append({})
        block[int(number)][name] = np.asarray(values)
    return block or None


# -- the result ----------------------------------------------------------------------------------------------------------


def write_value_result(folder: Path, result: ValueResult) -> None:
    """Write a result into a folder; ``result.json`` comes last."""
    import pandas as pd

    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        _write_table(folder / "draws.parquet", _draws_table(result))
        _write_table(folder / "parameters.parquet", pd.DataFrame({"draw": np.arange(result.draws), **result.drawn}))
        _write_table(folder / "people.parquet", _people_table(result))
        people = len(next(iter(result.person_qalys.values()))[0]) if result.person_qalys else 0
        _write_table(folder / "baseline.parquet", pd.DataFrame({"person": np.arange(people), **result.baseline}))
        content = {
            "run": dict(result.run),
            "strategies": result.strategies,
            "comparator": result.comparator,
            "structures": result.structures,
            "parameters": [asdict(row) for row in result.parameters.values()],
            **{name: _plain(getattr(result, name)) for name in _SMALL},
            "currency": result.currency,
            "price_year": result.price_year,
            "missing": result.missing,
        }
        write_atomic(folder / _RESULT, (json.dumps(content, indent=1) + "\n").encode())


_SMALL = ("central", "one_way", "scenarios", "monte_carlo", "cell_courses", "yearly_costs", "weights")


def open_value_folder(folder: str | Path) -> ValueResult:
    """Return the complete comparison of a folder.

    Raises
    ------
    ConfigError
        The folder holds none, or one that is not complete or damaged.
    """
    target = Path(folder)
    if not is_value_folder(target):
        raise ConfigError(Problem("no-comparison", "the folder holds no comparison", Location(str(target))))
    try:
        content = json.loads((target / _RESULT).read_text(encoding="utf-8"))
        draws, people = (_read_table(target / f"{name}.parquet") for name in ("draws", "people"))
        drawn, baseline = (_read_table(target / f"{name}.parquet") for name in ("parameters", "baseline"))
        return _rebuilt_result(content, draws, people, drawn, baseline)
    except (OSError, ValueError, KeyError, TypeError, database_error()) as error:
        message = "the comparison is not complete, or a file of it is damaged"
        hint = "Give the command that made it again: what is finished is kept."
        reason = str(error).partition("\n")[0]
        raise ConfigError(Problem("incomplete-run", message, Location(str(target)), reason, hint=hint)) from None


def _rebuilt_result(content: Any, draws: Any, people: Any, drawn: Any, baseline: Any) -> ValueResult:
    strategies, structures = tuple(content["strategies"]), tuple(content["structures"])
    values: dict[str, Any] = {name: {} for name in (*_PLAIN, *_NAMED, *_PEOPLE)}
    wide = draws.pivot_table(
        index=["section", "name", "structure", "strategy"], columns="draw", values="value", sort=False
    )
    for (section, name, structure), rows in wide.groupby(level=["section", "name", "structure"], sort=False):
        array = rows.droplevel(["section", "name", "structure"]).loc[list(strategies)].to_numpy(dtype=np.float64)
        if section in _PLAIN:
            values[section][structure] = array
        else:
            values[section].setdefault(structure, {})[name] = array
    for structure, rows in people.groupby("structure", sort=False):
        for name in _PEOPLE:
            if name in rows and not rows[name].isna().all():
                table = rows.pivot_table(index="strategy", columns="person", values=name, sort=False)
                values[name][structure] = table.loc[list(strategies)].to_numpy(dtype=np.float64)
    small: dict[str, Any] = {name: _arrays(content[name]) for name in _SMALL}
    return ValueResult(
        run=content["run"],
        strategies=strategies,
        comparator=content["comparator"],
        structures=structures,
        **values,
        drawn={name: drawn[name].to_numpy(dtype=np.float64) for name in drawn if name != "draw"},
        parameters={
            row["name"]: ValueParameter(**{**row, "structures": tuple(row.get("structures", ()))})
            for row in content["parameters"]
        },
        baseline={name: baseline[name].to_numpy(dtype=np.float64) for name in baseline if name != "person"},
        **small,
        currency=content["currency"],
        price_year=content["price_year"],
        missing=tuple(content["missing"]),
    )


def _draws_table(result: ValueResult) -> pd.DataFrame:
    """Return one row per section, name, structure, strategy and draw."""
    import pandas as pd

    parts = []
    for section in (*_PLAIN, *_NAMED):
        for structure, of in getattr(result, section).items():
            for name, values in of.items() if section in _NAMED else [(section, of)]:
                parts.append((section, name, structure, values))
    draws, count = result.draws, len(result.strategies)
    columns = {
        head: np.repeat([part[k] for part in parts], draws * count)
        for k, head in enumerate(("section", "name", "structure"))
    }
    columns["strategy"] = np.tile(np.repeat(result.strategies, draws), len(parts))
    columns["draw"] = np.tile(np.arange(draws), len(parts) * count)
    columns["value"] = np.concatenate([part[3].reshape(-1) for part in parts])
    return pd.DataFrame(columns)


def _people_table(result: ValueResult) -> pd.DataFrame:
    import pandas as pd

    frames = []
    for structure in result.person_qalys:
        for number, strategy in enumerate(result.strategies):
            columns: dict[str, Any] = {"structure": structure, "strategy": strategy}
            qalys: Numbers = result.person_qalys[structure][number]
            columns["person"] = np.arange(len(qalys))
            for name in _PEOPLE:
                rows = getattr(result, name).get(structure)
                columns[name] = np.full(len(qalys), np.nan) if rows is None else rows[number]
            frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame({"structure": [], "strategy": []})


def _write_table(path: Path, table: pd.DataFrame) -> None:
    with placed(path) as temporary, connect(1) as database:
        database.register("result", table)
        database.execute(f"COPY result TO {sql_path(temporary)} (FORMAT parquet)")


def _read_table(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise ValueError(f"{path.name} is missing")
    with connect(1) as database:
        table: pd.DataFrame = database.execute(f"SELECT * FROM {parquet([path])}").df()
    return table


def _plain(values: Any) -> Any:
    """Return nested arrays as lists; numbers that JSON has not are null."""
    if isinstance(values, Mapping):
        return {name: _plain(value) for name, value in values.items()}
    if isinstance(values, np.ndarray):
        return [_plain(value) for value in values] if values.ndim else _plain(values.item())
    return (
        None
        if isinstance(values, float | np.floating) and not np.isfinite(values)
        else (float(values) if isinstance(values, np.floating) else values)
    )


def _arrays(values: Any) -> Any:
    if isinstance(values, dict):
        return {name: _arrays(value) for name, value in values.items()}
    return None if values is None else np.array(values, dtype=np.float64)

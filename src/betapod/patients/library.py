"""Library of virtual patients: clinical measurements, individual parameters and model states.

The package carries a ready library. ``betapod patients grow`` makes larger ones.
"""

from __future__ import annotations

import functools
import io
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..base import files
from ..base.display import Displayed
from ..base.errors import ConfigError, Location, Problem
from ..physiology import whole_body
from . import library_file, observe, plausibility, prescribing
from .population import PROFILES, Numbers, sample

if TYPE_CHECKING:
    import pandas as pd

    from ..therapies.plan import Recipients
    from .life_course import Progress, Snapshots

READY = PROFILES / "library.npz"
#: Bytes of a library's file.
_LARGEST = 1_000_000_000
#: Seed and lives of the library that is grown where the package has none.
_SEED, _LIVES = 1, 3000


@dataclass(frozen=True, repr=False)
class Library(Displayed):
    """Virtual patients, one per row.

    Attributes
    ----------
    table
        One row per patient: ``person``, ``age`` (year), ``female``, ``T1D``, ``diagnosed``, ``duration`` (whole years since
        diagnosis, NaN without one), ``years_ill``, ``year``, ``height`` (cm), ``weight`` (kg), ``bmi`` (kg/m2), ``stiffness``;
        one measurement each of ``hba1c`` (%), ``fpg`` (mmol/L), ``sbp``, ``dbp`` (mmHg), ``egfr`` (mL/min/1.73m2), ``uacr``
        (mg/g), ``c_peptide`` (nmol/L); their values without error as ``true_*``; ``insulin_dose`` (U/day); drugs as 0 or 1.
    parameters
        Parameters and inputs of the model `reference` that differ from its tables: name -> (n,), in the rows' units.
    states
        (n, states) in the order of `state_names`.
    origin
        How it was grown: seed, lives, fingerprint of the model, notes.

    Examples
    --------
    >>> import betapod
    >>> library = betapod.load_library()
    >>> library.initial["GFR0_nephron"].shape == (len(library),) if "GFR0_nephron" in library.initial else True
    True
    """

    table: pd.DataFrame
    parameters: dict[str, Numbers]
    states: Numbers
    state_names: tuple[str, ...]
    origin: dict[str, Any]

    def __len__(self) -> int:
        return len(self.table)

    @property
    def units(self) -> dict[str, str]:
        """Unit of every column of `table` that has one."""
        from .cohorts.cohort_target import UNITS

        true = {f"true_{name}": UNITS[name] for name in ("hba1c", "fpg", "egfr", "uacr", "c_peptide")}
        more = {"true_MAP": "mmHg", "true_gfr": "mL/min", "insulin_dose": "U/day", "years_ill": "year"}
        return {name: unit for name, unit in {**UNITS, **true, **more}.items() if unit != "1" and name in self.table}

    @property
    def inputs(self) -> dict[str, Numbers]:
        """The part of `parameters` that are inputs of the model: age, sex, drugs, pressure, insulin."""
        model_inputs = whole_body.named_model("reference").inputs
        return {name: values for name, values in self.parameters.items() if name in model_inputs}

    @property
    def initial(self) -> dict[str, Numbers]:
        """States by name, as `Ensemble.run` takes them."""
        return {name: self.states[:, i] for i, name in enumerate(self.state_names)}

    @property
    def current(self) -> bool:
        """Whether it was grown with the model as it is now."""
        return bool(self.origin.get("model") == whole_body.named_model("reference").fingerprint)

    def take(self, index: NDArray[np.integer] | Sequence[int]) -> Library:
        """Return some patients, in the order of `index`; repeats are allowed.

        Parameters
        ----------
        index
            (n,) rows.

        Returns
        -------
        Library
            n patients.

        Raises
        ------
        IndexError
            There is no such row.

        Examples
        --------
        >>> import betapod
        >>> library = betapod.load_library()
        >>> library.take([5, 5, 7]).table["person"].nunique() <= 2
        True
        """
        rows = np.asarray(index, dtype=np.int64)
        return Library(
            self.table.iloc[rows].reset_index(drop=True),
            {name: values[rows] for name, values in self.parameters.items()},
            self.states[rows],
            self.state_names,
            self.origin,
        )

    def recipients(self) -> Recipients:
        """Return the patients as those who are given something, for `betapod.plan`.

        Returns
        -------
        Recipients
            Their own values, what they take already, and how well their kidneys filter.

        Raises
        ------
        KeyError
            The table lacks a column of a drug or of filtration.

        Examples
        --------
        >>> import betapod
        >>> len(betapod.load_library().take([0, 1]).recipients())
        2
        """
        from .recipients import recipients

        return recipients(self.table, self.parameters, self.initial)

    def save(self, path: str | Path) -> Path:
        """Write the library as one compressed file of single-precision numbers; its name gets the ending .npz.

        Parameters
        ----------
        path
            A file that exists is replaced.

        Returns
        -------
        pathlib.Path
            Where it was written.

        Raises
        ------
        ConfigError
            The file cannot be written.

        Examples
        --------
        >>> import betapod
        >>> library = betapod.load_library()
        >>> import pathlib, tempfile
        >>> path = library.take(range(20)).save(pathlib.Path(tempfile.mkdtemp()) / "some.npz")
        >>> len(betapod.load_library(path))
        20
        """
        from ..base.files import replacing

        path = Path(path)
        path = path if path.suffix.lower() == ".npz" else path.with_name(f"{path.name}.npz")
        with replacing(path) as temporary:
            temporary.write_bytes(self.to_bytes())
        return path

    def to_bytes(self) -> bytes:
        """Return the content of the library's file.

        Returns
        -------
        bytes
            What `save` writes.

        Examples
        --------
        >>> import betapod
        >>> library = betapod.load_library()
        >>> library.take([0]).to_bytes()[:2]
        b'PK'
        """
        columns: dict[str, Numbers] = {f"table/{name}": self.table[name].to_numpy() for name in self.table}
        columns |= {f"parameter/{name}": values for name, values in self.parameters.items()}
        columns |= {f"state/{name}": self.states[:, i] for i, name in enumerate(self.state_names)}
        constant = {name: float(v[0]) for name, v in columns.items() if len(v) and np.all(v == v[0])}
        varied = {name: v.astype(np.float32) for name, v in columns.items() if name not in constant}
        head = {
            "format": library_file.FORMAT,
            "rows": len(self),
            "constant": constant,
            "order": list(columns),
            "origin": self.origin,
        }
        arrays: dict[str, NDArray[Any]] = {"head": np.frombuffer(json.dumps(head).encode(), dtype=np.uint8)}
        arrays |= {f"c{i}": v for i, v in enumerate(varied.values())}
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **arrays)
        return buffer.getvalue()


def _whole() -> list[str]:
    """Return the columns that hold whole numbers."""
    return [
        "person",
        "segment",
        "female",
        "T1D",
        "diabetes",
        "diagnosed",
        "cvd",
        "hf",
        *prescribing.drug_columns(),
        "glp1ra",
    ]


def _table_columns() -> tuple[str, ...]:
    """Return the columns that every library has."""
    measured = ("hba1c", "fpg", "sbp", "dbp", "egfr", "uacr", "c_peptide")
    true = tuple(f"true_{name}" for name in ("hba1c", "fpg", "MAP", "egfr", "gfr", "uacr", "c_peptide"))
    person: tuple[str, ...] = ("age", "duration", "years_ill", "year", "height", "weight", "bmi", "stiffness", "dawn")
    person = (*person, "life_uacr", "insulin_dose")
    return (*_whole(), *person, *measured, *true)


def read_library(path: str | Path) -> Library:
    """Read a library.

    Raises
    ------
    ConfigError
        No such file, not a library, every fault of its columns, or one whose states the model no longer has.
    """
    try:
        # The whole file first: a broken archive would leave a handle open.
        content = files.file_content(path, _LARGEST)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigError(Problem("not-a-library", f"cannot read the library: {reason}", Location(str(path)))) from None
    return of_bytes(content, path)


def of_bytes(content: bytes, path: str | Path) -> Library:
    """Return the library that a file holds; errors as of `read_library`."""
    import pandas as pd

    where = Location(str(path))
    _, columns, origin = library_file.read_library_file(content, path, _table_columns(), _whole())
    parts: dict[str, dict[str, Numbers]] = {"table": {}, "parameter": {}, "state": {}}
    for name, values in columns.items():
        kind, _, rest = name.partition("/")
        parts[kind][rest] = values
    model = whole_body.named_model("reference")
    unknown = [n for n in parts["parameter"] if n not in model.parameters and n not in model.inputs]
    _begin_new_states(parts["state"], len(parts["table"]["person"]))
    if set(parts["state"]) != set(model.state_names) or unknown:
        hint = "Grow it again with: betapod patients grow"
        differences = f"{len(parts['state'])} states, {len(unknown)} unknown parameters"
        raise ConfigError(
            Problem("old-library", "the library was grown with another model", where, differences, hint=hint)
        )
    table = pd.DataFrame(parts["table"])
    table[_whole()] = table[_whole()].astype(np.int64)
    states = np.column_stack([parts["state"][name] for name in model.state_names])
    return Library(table, parts["parameter"], states, model.state_names, origin)


def _begin_new_states(states: dict[str, Numbers], people: int) -> None:
    """Add states of the model that a library lacks and that begin at 0 in everybody, such as what only a therapy brings."""
    initial = whole_body.named_model("reference").initial_values()
    states |= {name: np.zeros(people) for name, value in initial.items() if name not in states and value == 0.0}


def from_snapshots(snapshots: Snapshots, seed: int, origin: dict[str, Any]) -> Library:
    """Return snapshots as a library, each measured once."""
    import pandas as pd

    true, numbers = snapshots.true, snapshots.people
    # A person with several snapshots is measured afresh in each: draws depend on person and month.
    key = numbers * 4096 + np.floor(true["age"] * 12).astype(np.int64)
    measured = observe.measure_once(true, true, key, seed, "library")
    height = snapshots.parameters["height"]
    columns: dict[str, Any] = {"person": numbers}
    columns |= {name: true[name] for name in ("segment", "age", "female", "T1D", "diabetes", "diagnosed", "cvd", "hf")}
    columns |= {name: true[name] for name in ("duration", "years_ill", "year")}
    columns |= {"height": height, "weight": true["weight"], "bmi": true["weight"] / (height / 100.0) ** 2}
    columns |= {name: true[name] for name in ("stiffness", "dawn", "life_uacr")}
    columns |= {name: measured[name] for name in ("hba1c", "fpg", "sbp", "dbp", "egfr", "uacr", "c_peptide")}
    columns |= {f"true_{name}": true[name] for name in ("hba1c", "fpg", "MAP", "egfr", "gfr", "uacr", "c_peptide")}
    columns |= {"insulin_dose": np.where(snapshots.drugs[prescribing.INSULIN], true["insulin_dose"], 0.0)}
    columns |= snapshots.drugs
    columns["glp1ra"] = snapshots.drugs["liraglutide"] | snapshots.drugs["semaglutide"]
    table = pd.DataFrame(columns)
    table[_whole()] = table[_whole()].astype(np.int64)
    model = whole_body.named_model("reference")
    return Library(table, snapshots.parameters, snapshots.states, model.state_names, origin)


def grow(lives: int, seed: int = _SEED, progress: Progress | None = None, first: int = 0, keep: float = 0.5) -> Library:
    """Grow a library: sample people, simulate their lives, keep every plausible snapshot with diabetes.

    Parameters
    ----------
    lives
        People to follow; about seven in ten get diabetes, and each is kept at several ages.
    keep
        Share of the yearly snapshots that are kept.
    first
        Number of the first person; people of the same seed and number are the same in every library.

    Raises
    ------
    ConfigError
        A number of lives below 1, or nobody fell ill.
    """
    from .life_course import live

    if lives < 1:
        raise ConfigError(Problem("bad-number", "a library needs at least one life", found=str(lives)))
    snapshots = live(sample(seed, range(first, first + lives)), progress, keep)
    origin = {"seed": seed, "first": first, "lives": lives, "model": whole_body.named_model("reference").fingerprint}
    grown = from_snapshots(snapshots, seed, origin)
    verdict = plausibility.plausibility(grown.table)
    origin["implausible"] = verdict.counts
    return grown.take(np.flatnonzero(verdict.plausible))


@functools.cache
def default() -> Library:
    """Return the library of the package; where there is none that fits the model, one is grown once and cached."""
    if READY.is_file():
        try:
            return read_library(READY)
        except ConfigError as error:
            if "old-library" not in error.kinds:
                raise
    return _cached()


def _cached() -> Library:
    from ..base import cache

    name = f"patients/{cache.key(__name__, _SEED, _LIVES)}.npz"
    kept = cache.read_entry(name)
    if kept is not None:
        with suppress(ConfigError):
            return of_bytes(kept, name)
    with progress_bar() as progress:
        grown = grow(_LIVES, progress=progress).to_bytes()
    cache.write_entry(name, grown)
    return of_bytes(grown, name)


@contextmanager
def progress_bar() -> Iterator[Progress | None]:
    """Show a progress bar on stderr, where stderr is a terminal; gives what `grow` calls with its progress."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("growing patients", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)

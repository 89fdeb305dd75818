"""Everything that can be confronted, under several parameterisations: resumable, then counted."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..evidence.study import Record
from ..physiology import whole_body
from .courses import Setting
from .prediction import Prediction
from .rows import predict_study
from .studies import arms, sort

if TYPE_CHECKING:
    import pandas as pd

#: What is compared unless something else is asked for.
SETTINGS = ("none", "current-evidence", "seed-claims")
_FORMAT = 1


@dataclass(frozen=True)
class Confrontation:
    """Predictions and refusals.

    Attributes
    ----------
    predictions
        Parameterisation -> one prediction per row.
    refused
        Rows that cannot be simulated, with the reason.
    """

    predictions: dict[str, list[Prediction]]
    refused: list[tuple[Record, str]]

    def table(self) -> pd.DataFrame:
        """Return one row for each prediction, the parameterisation in ``setting``."""
        import pandas as pd

        rows = [{"setting": name, **asdict(each)} for name, mine in self.predictions.items() for each in mine]
        columns = ["setting", *Prediction.__dataclass_fields__]
        return pd.DataFrame(rows, columns=columns)

    def counts(self, by: str = "family") -> pd.DataFrame:
        """Return rows, rows inside the 90 % interval, and the root mean square of z, by parameterisation and a column.

        Parameters
        ----------
        by
            ``family``, ``endpoint``, ``study`` or ``""`` for all together.
        """
        table = self.table()
        keys = ["setting", by] if by else ["setting"]
        grouped = table.assign(square=table["z"] ** 2).groupby(keys, sort=False)
        found = grouped.agg(rows=("record", "size"), inside=("inside", "sum"), rms=("square", "mean"))
        found["rms"] **= 0.5
        return found.reset_index()

    def worst(self, setting: str, count: int = 10) -> list[Prediction]:
        """Return the predictions farthest from what was observed, in units of their error."""
        return sorted(self.predictions[setting], key=lambda each: -abs(each.z))[:count]

    def refusals(self) -> pd.DataFrame:
        """Return one row for each row that cannot be simulated: record, study, arm, endpoint, reason."""
        import pandas as pd

        rows = [(r.id, r.study, r.arm, r.endpoint_text, r.weeks, why) for r, why in self.refused]
        return pd.DataFrame(rows, columns=["record", "study", "arm", "endpoint", "weeks", "reason"])


def confront(
    records: Iterable[Record],
    settings: Sequence[str] = SETTINGS,
    count: int = 60,
    seed: int = 1,
    threads: int | None = None,
    folder: Path | None = None,
    progress: Callable[[str], None] | None = None,
    draws: int = 8,
) -> Confrontation:
    """Confront rows with the model under named parameterisations.

    Every study under every parameterisation is kept as it is finished; what is there already is not computed again, as long as
    program, patients, rows and options are the same.

    Parameters
    ----------
    draws
        Sets of parameters behind the error of the parameters, see `rows.predict`.
    folder
        Where results are kept; the cache by default.
    progress
        Told the study and parameterisation that begins.
    """
    from ..engine.cache import folder as cache

    place = folder if folder is not None else cache() / "confront"
    can, cannot = sort(records)
    studies: dict[str, list[Record]] = {}
    for record in can:
        studies.setdefault(record.study, []).append(record)
    found: dict[str, list[Prediction]] = {name: [] for name in settings}
    for name in settings:
        setting = Setting(name)
        for study, mine in studies.items():
            path = place / f"{_key(mine, setting, count, seed, draws)}.json"
            known = _read(path)
            if known is None:
                if progress is not None:
                    progress(f"{study}, {name}")
                known = predict_study(mine, setting, count, seed, threads, draws)
                _write(path, known)
            found[name] += known
    return Confrontation(found, cannot)


def _key(records: Sequence[Record], setting: Setting, count: int, seed: int, draws: int) -> str:
    rows = [(r.id, r.value, r.n, r.weeks, r.kind, r.contrast, r.unit, repr(r.dispersion), r.p_value) for r in records]
    mapped = [asdict(arms()[r.study, r.arm]) for r in records]
    parts = [_FORMAT, _program(), rows, mapped, asdict(setting), count, seed, draws]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:32]


@functools.cache
def _program() -> str:
    """Return a hash of the program, its tables and the patients as far as they shape predictions."""
    from ..patients import library

    package = Path(__file__).parents[1]
    digest = hashlib.sha256(whole_body.model("reference").fingerprint.encode())
    digest.update(library.default().states.tobytes())
    for room in ("engine", "physiology", "procedures", "patients", "confront", "evidence"):
        for path in sorted((package / room).rglob("*")):
            if path.suffix in (".py", ".csv", ".yaml") and path.name != Path(__file__).name:
                digest.update(path.read_bytes())
    return digest.hexdigest()


def _read(path: Path) -> list[Prediction] | None:
    try:
        return [Prediction(**row) for row in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        return None


def _write(path: Path, predictions: Sequence[Prediction]) -> None:
    from ..files import replacing

    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_text(json.dumps([asdict(each) for each in predictions]), encoding="utf-8")

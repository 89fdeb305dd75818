"""One patient simulated: by the compiled engine for models of the package, by the reference integrator for others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..engine.schedule import Schedule
    from ..engine.scipy.simulation_result import Result
    from ..model import Model


def simulate(
    model: Model,
    times: ArrayLike,
    schedule: Schedule | None = None,
    initial: Mapping[str, float] | None = None,
    method: str | None = None,
    rtol: float = 1e-6,
    atol: ArrayLike | None = None,
    outputs: Sequence[str] | None = None,
) -> Result:
    """Integrate a model and report it at the given times.

    Parameters
    ----------
    model
        Model, such as ``load_model("kidney")``.
    times
        Days, increasing, from 0 on; the integration starts at 0.
    schedule
        Doses and switches of inputs; nothing by default.
    initial
        States that do not start from their initial value, in the states' units.
    method
        ``Rodas5P`` of the compiled engine, or ``LSODA``, ``BDF`` or ``Radau`` of SciPy. By default the first for models of the package and
        ``LSODA`` for others, which would have to be compiled first. What the compiled engine cannot do is left to ``LSODA``: `Result.method` says so.
    rtol, atol
        Relative and absolute error tolerated in one step; `atol` in the states' units, one number or one per state. By default it
        goes by the size of the states (see `betapod.engine.tolerance`).
    outputs
        Names of states, equations and inputs to report; all by default.

    Returns
    -------
    Result
        One row per time and one column per quantity, with units, events and warnings.

    Raises
    ------
    ConfigError
        Unknown names, a bad schedule, bad tolerances, or times that do not increase.
    SolverError
        The integration could not go on; says where.

    Examples
    --------
    The reference kidney loses filtration over ten years:

    >>> from betapod import load_model, simulate
    >>> table = simulate(load_model("kidney"), [0.0, 3652.5], outputs=["GFR"]).table
    >>> table["GFR"].round(0).tolist()
    [105.0, 100.0]
    """
    from ..engine.one_patient import COMPILED, simulate_one

    if method is None:
        method = COMPILED if is_packaged(model) else "LSODA"
    return simulate_one(model, times, schedule, initial, method, rtol, atol, outputs)


def is_packaged(model: Model) -> bool:
    """Return whether a model has the equations of one of the package's, whatever its values."""
    from ..physiology import whole_body

    name = getattr(model, "name", "")
    return name in whole_body.NAMES and whole_body.named_model(name).fingerprint == model.fingerprint

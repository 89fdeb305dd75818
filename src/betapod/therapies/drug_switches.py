"""Drugs as a schedule of switches of the model's inputs, with contraindications and cautions."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping

from ..base.constants import MINUTES_PER_DAY
from ..base.errors import ConfigError
from ..engine.schedule import Schedule, Switch
from ..model import Model
from .drug_limits import contraindications
from .input_courses import Step, input_courses
from .standard_care import Therapy, therapy


class CautionWarning(UserWarning):
    """A therapy that is given with caution to such a person."""


def care(
    therapies: Iterable[Therapy | str],
    model: Model,
    state: Mapping[str, float] | None = None,
    as_ordered: bool = False,
) -> Schedule:
    """Return the switches of inputs that therapies given together make.

    Parameters
    ----------
    therapies
        Therapies, or texts such as ``"metformin 2 g"`` for therapies from day 0 on.
    model
        Whose inputs are switched; its values are those without therapy.
    state
        Further values of the person for contraindications, such as ``{"GFR": 28}`` where filtration is a state.
    as_ordered
        Give several drugs of a class, and classes that exclude each other.

    Raises
    ------
    ConfigError
        A therapy is contraindicated, unknown, or clashes with another, such as one of the same class.

    Warns
    -----
    CautionWarning
        A therapy is given with caution, or takes an input out of its plausible range.
    """
    prescribed = [therapy(drug) if isinstance(drug, str) else drug for drug in therapies]
    base = {name: model.inputs[name].value for name in model.inputs}
    errors, cautions = contraindications(prescribed, {**base, **(state or {})})
    if as_ordered:
        errors = [problem for problem in errors if problem.kind not in ("same-class", "not-together")]
    if errors:
        raise ConfigError(errors)
    for text in cautions:
        warnings.warn(text, CautionWarning, stacklevel=2)
    steps_by_input = input_courses(prescribed, base)
    for name, steps in steps_by_input.items():
        row = model.inputs[name]
        worst = max(
            (value for s in steps for value in (s.before, s.after)), key=lambda v: max(row.low - v, v - row.high)
        )
        if not row.low <= worst <= row.high and worst != row.value:
            text = f"{name} goes to {worst:g} {row.unit}, outside its plausible range {row.low:g} to {row.high:g} {row.unit}"
            warnings.warn(text, CautionWarning, stacklevel=2)
    return Schedule(switches=[switch for name, steps in steps_by_input.items() for switch in switches_of(name, steps)])


def switches_of(name: str, steps: list[Step]) -> list[Switch]:
    """Return the switches of an input's course: jumps and ramps; a jump that a ramp follows at once becomes a ramp of a minute."""
    switches = []
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        jumps = not math.isclose(step.before, step.after, rel_tol=1e-12, abs_tol=1e-15)
        if following is None or math.isclose(step.after, following.before, rel_tol=1e-12, abs_tol=1e-15):
            if jumps:
                switches.append(Switch(name, step.after, step.time))
            continue
        if jumps:
            switches.append(Switch(name, step.after, step.time, _MINUTE))
            switches.append(Switch(name, following.before, step.time + _MINUTE, following.time - step.time - _MINUTE))
        else:
            switches.append(Switch(name, following.before, step.time, following.time - step.time))
    return switches


_MINUTE = 1.0 / MINUTES_PER_DAY

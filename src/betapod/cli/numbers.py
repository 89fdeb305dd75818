"""Numbers on the command line: finite, and within what betapod can do. One place checks every option of every verb."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typer
from typer.models import ParameterInfo

from ..base.errors import ConfigError, Location, Problem


@dataclass(frozen=True)
class Bounds:
    """What an option may be; `above` excludes the lower bound itself, `below` the upper one."""

    low: float = -math.inf
    high: float = math.inf
    above: bool = False
    below: bool = False

    def hold(self, value: float) -> bool:
        """Return whether a number is finite and within the bounds."""
        if isinstance(value, float) and not math.isfinite(value):
            return False
        lower = value > self.low if self.above else value >= self.low
        return lower and (value < self.high if self.below else value <= self.high)

    def __str__(self) -> str:
        low = "" if math.isinf(self.low) else f"{'above' if self.above else 'at least'} {self.low:g}"
        high = "" if math.isinf(self.high) else f"{'below' if self.below else 'at most'} {self.high:g}"
        return ", ".join(filter(None, ("a finite number", low, high)))


#: The largest whole number that counters of this machine hold.
_COUNTER = 2**63 - 1
#: By option: the bounds that hold in every verb. Others need only be finite, and whole numbers fit a counter.
BOUNDS = {
    "--rtol": Bounds(3e-14, 1.0, below=True),
    "--atol": Bounds(0.0, 1e100, above=True),
    "--years": Bounds(0.0, 1e4, above=True),
    "--days": Bounds(0.0, 3_652_500.0, above=True),
    "--weeks": Bounds(0.0, 1e5),
    "--minutes": Bounds(1e-3, 1e5),
    "--step": Bounds(1e-3, 1e5),
    "--glucose": Bounds(0.0, 1e4),
    "--carbohydrate": Bounds(0.0, 1e4),
    "--bolus": Bounds(0.0, 1e4),
    "--rate": Bounds(0.0, 1e4, above=True),
    "--seed": Bounds(0, _COUNTER),
    "--threads": Bounds(1, 4096),
    "--processes": Bounds(1, 4096),
    "--people": Bounds(2, 1_000_000),
    "--lives": Bounds(1, 100_000_000),
    "--patients": Bounds(1, 1_000_000_000),
    "--replicates": Bounds(1, 1_000_000),
    "--draws": Bounds(0, 100_000),
    "--shard-size": Bounds(1, 10_000_000),
}


def check_numbers(app: typer.Typer) -> typer.Typer:
    """Let every numeric option of the verbs of an application, and of its groups, be checked; return the application."""
    for verb in _verbs(app):
        hints = get_type_hints(verb, include_extras=True)
        for option, info, integer in _numeric(hints):
            if info.callback is None:
                info.callback = _check(option, integer)
        # Annotations that are still text would be read anew, without the checks.
        verb.__annotations__ = hints
    return app


def unchecked(app: typer.Typer) -> list[str]:
    """Return the numeric options that nothing checks, with their verbs."""
    return [
        f"{verb.__name__} {option}"
        for verb in _verbs(app)
        for option, info, _ in _numeric(get_type_hints(verb, include_extras=True))
        if info.callback is None
    ]


def _verbs(app: typer.Typer) -> Iterator[Callable[..., Any]]:
    for verb in app.registered_commands:
        if verb.callback is not None:
            yield verb.callback
    for group in app.registered_groups:
        if group.typer_instance is not None:
            yield from _verbs(group.typer_instance)


def _numeric(hints: Mapping[str, Any]) -> Iterator[tuple[str, ParameterInfo, bool]]:
    """Give the name, the description and whether it takes whole numbers of each numeric option among annotations."""
    for name, hint in hints.items():
        kind, *notes = get_args(hint) if get_origin(hint) is Annotated else (None,)
        kinds = _leaves(kind) - {type(None)}
        if kinds and kinds <= {int, float}:
            for info in notes:
                if isinstance(info, ParameterInfo):
                    spelt = [text for text in info.param_decls or () if text.startswith("--")]
                    yield (spelt[0] if spelt else f"--{name.replace('_', '-')}"), info, kinds == {int}


def _leaves(kind: Any) -> set[Any]:
    """Return the plain types of which a type is made."""
    inner = get_args(kind)
    return set().union(*map(_leaves, inner)) if inner else {kind}


def _check(option: str, integer: bool) -> Callable[[Any], Any]:
    bounds = BOUNDS.get(option, Bounds(-_COUNTER, _COUNTER) if integer else Bounds())

    def checked(value: Any) -> Any:
        values = value if isinstance(value, (list, tuple)) else [value]
        if not all(number is None or bounds.hold(number) for number in values):
            raise ConfigError(
                Problem(
                    "bad-number",
                    f"{option} is out of range",
                    Location(f"{option} {_short(str(value))}"),
                    found=_short(str(value)),
                    expected=str(bounds),
                )
            )
        return value

    return checked


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:30]}... ({len(text)} characters)"

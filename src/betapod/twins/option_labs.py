"""Labs of one person from options of a command, or arguments: ``egfr=52``, ``uacr='43 mg/mmol'``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ..base.errors import BetapodError, ConfigError, Location, Problem, UnitError
from ..base.units import split_quantity
from .lab_quantities import converted_lab, lab_named, lab_quantities, nearest_lab, possible_lab
from .lab_table import diabetes_of, sex_of
from .person_labs import LabValue, PersonLabs, person_of_labs


def labs_from_options(
    values: Mapping[str, str | float],
    sex: str = "",
    diabetes: str = "",
    drugs: Iterable[str] = (),
    history: Mapping[str, bool] | None = None,
    prefix: str = "--",
) -> PersonLabs:
    """Return a person from values by name.

    Parameters
    ----------
    values
        Quantity -> number in its own unit (`lab_quantities`), or text with a unit.
    sex, diabetes
        ``female`` or ``male``; ``1``, ``2`` or ``none``; empty where it is not known.
    drugs
        What the person takes.
    history
        As of `PersonLabs`.
    prefix
        Before names in messages.

    Raises
    ------
    ConfigError
        Everything that is wrong at once.

    Examples
    --------
    >>> from betapod.twins.option_labs import labs_from_options
    >>> labs = labs_from_options({"age": 61, "egfr": 52, "uacr": "43 mg/mmol"}, sex="male", drugs=["ramipril"])
    >>> round(labs.value("uacr")), labs.female
    (380, 0)
    """
    problems: list[Problem] = []
    measured = []
    age: float | None = None
    for name, text in values.items():
        try:
            item = _value(name, text, prefix)
        except BetapodError as error:
            problems += error.problems
            continue
        if item.quantity == "age":
            age = item.value
        else:
            measured.append(item)
    female = sex_of(sex) if sex else None
    if sex and female is None:
        problems.append(
            Problem("unknown-sex", "sex is not understood", Location(f"{prefix}sex {sex}"), expected="female or male")
        )
    kind = diabetes_of(diabetes) if diabetes else ""
    if kind is None:
        where = Location(f"{prefix}diabetes {diabetes}")
        problems.append(
            Problem("unknown-diabetes", "the type of diabetes is not understood", where, expected="1, 2 or none")
        )
    if problems:
        raise ConfigError(problems)
    return person_of_labs(measured, age, female, kind or "", drugs, history)


def _value(name: str, text: str | float, prefix: str) -> LabValue:
    quantity = lab_named(name)
    where = Location(f"{prefix}{name.replace('_', '-')} {text}")
    if quantity is None:
        raise ConfigError(
            Problem("unknown-quantity", f"{name!r} is no quantity that is read", where, hint=nearest_lab(name))
        )
    unit = lab_quantities()[quantity].unit
    parts = (float(text), "") if not isinstance(text, str) else split_quantity(_with_point(text, where))
    if parts is None:
        raise UnitError(
            Problem("bad-number", f"{quantity}: this is no number with a unit", where, expected=f"such as '5 {unit}'")
        )
    number, written = parts
    value = (
        converted_lab(quantity, number, written, where)
        if written
        else possible_lab(quantity, number, f"{number:g} (taken as {unit})", where)
    )
    return LabValue(quantity, value, f"{number:g} {written or unit}", None, f"{prefix}{name}")


def _with_point(text: str, where: Location) -> str:
    """Return a text whose number has a decimal comma with a point; a comma that may part thousands is refused.

    Raises
    ------
    UnitError
        It may be either.
    """
    match = re.match(r"\s*([+-]?\d+),(\d+)(?![\d.,])", text)
    if match is None:
        return text
    integer, rest = match[1], match[2]
    if len(rest) == 3 and integer.lstrip("+-0"):
        message, hint = "the comma may part decimals or thousands", f"Write {integer}.{rest} or {integer}{rest}."
        raise UnitError(Problem("ambiguous-number", message, where, match[0].strip(), hint=hint))
    return f"{integer}.{rest}{text[match.end() :]}"


def merged_labs(first: PersonLabs, second: PersonLabs) -> PersonLabs:
    """Return what a file says of a person, with what was said besides in its place: values by quantity, and sex, age, diabetes, drugs."""
    replaced = {item.quantity for item in second.measured}
    if "egfr" in replaced:
        # An eGFR that is said outright is not computed from an older creatinine.
        replaced |= {"creatinine"}
    kept = [
        item for item in first.measured if item.quantity not in replaced and not item.written.startswith("creatinine ")
    ]
    dropped = [f"{name}: as said in the options, not as in the file" for name in sorted(replaced & set(first.used))]
    return person_of_labs(
        [*kept, *second.measured],
        first.age if second.age is None else second.age,
        first.female if second.female is None else second.female,
        second.diabetes or first.diabetes,
        second.drugs or first.drugs,
        {**first.history, **second.history},
        [*first.left_out, *dropped],
        [note for note in first.notes if not note.startswith("eGFR ")],
        first.contradictions,
    )

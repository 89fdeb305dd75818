"""Read sex from patient tables: words in many languages; codes only with their stated meaning."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from ...base.delimited import quote_cell
from ...base.errors import ConfigError, Location, Problem, did_you_mean

_FEMALE = (
    "f female w woman women girl weiblich frau femme feminin féminin femenino mujer feminino donna femmina vrouw kvinna kvinde ж жен "
    "женский 女 女性"
)
_MALE = "m male man men boy männlich maennlich mann homme masculin masculino hombre uomo maschio м муж мужской 男 男性"
#: What a cell may say, in lower case: 1 for women.
WORDS = {**dict.fromkeys(_FEMALE.split(), 1.0), **dict.fromkeys(_MALE.split(), 0.0)}
#: Not known: CDISC has U for unknown.
UNKNOWN = ("u", "unk", "unknown", "undifferentiated", "not stated")
#: Columns whose codes a code book fixes: NHANES has 1 for men and 2 for women.
CODED = {"riagendr": {"1": "male", "2": "female"}}
#: Other names of columns that hold words.
COLUMNS = (
    "sex",
    "gender",
    "geschlecht",
    "sexe",
    "sexo",
    "sesso",
    "geslacht",
    "kön",
    "性別",
    "性别",
    "пол",
    "sex_at_birth",
    "riagendr",
)
WAY_OUT = "Say what the codes mean, such as female=0,male=1 (option --sex-codes, argument sex_codes), or name the column 'female' (1 for women) or 'male' (1 for men)."


def code(text: str) -> str:
    """Return a cell as codes are compared: in lower case, whole numbers without decimals."""
    plain = text.strip().lower()
    head, dot, tail = plain.partition(".")
    return head if dot and head.lstrip("-").isdigit() and not tail.strip("0") else plain


def parse_codes(text: str) -> dict[str, str]:
    """Return code -> ``female`` or ``male`` from text such as ``female=0,male=1``.

    Raises
    ------
    ConfigError
        Not of this form, a sex that is neither, the same code for both.
    """
    sex_by_code: dict[str, str] = {}
    problems = []
    for part in filter(None, (text_part.strip() for text_part in text.split(","))):
        sex, equals, value = (text_part.strip().lower() for text_part in part.partition("="))
        if not equals or not value:
            problems.append(Problem("bad-codes", "this is not of the form sex=code", found=part))
        elif sex not in ("female", "male"):
            hint = did_you_mean(sex, ("female", "male"))
            problems.append(
                Problem("bad-codes", f"{sex!r} is neither female nor male", expected="female, male", hint=hint)
            )
        elif sex_by_code.setdefault(code(value), sex) != sex:
            problems.append(Problem("bad-codes", f"the code {value} is given to both sexes"))
    if not problems and set(sex_by_code.values()) != {"female", "male"}:
        problems.append(Problem("bad-codes", "both sexes need a code", found=text, expected="female=0,male=1"))
    if problems:
        raise ConfigError(problems)
    return sex_by_code


def sex_codes(heading: str) -> dict[str, str] | None:
    """Return code -> sex from what stands in the brackets of a heading, such as ``0=F, 1=M``; None where it explains nothing."""
    sex_by_code: dict[str, str] = {}
    for left, right in re.findall(r"(\w+)\s*[=:]\s*(\w+)", heading.lower()):
        value, word = (left, right) if right in WORDS else (right, left)
        if word not in WORDS or sex_by_code.setdefault(code(value), "female" if WORDS[word] else "male") != (
            "female" if WORDS[word] else "male"
        ):
            return None
    return sex_by_code if set(sex_by_code.values()) == {"female", "male"} else None


def read_sexes(
    cells: Sequence[tuple[str, Location]], heading: str, codes: Mapping[str, str] | None, missing: Sequence[str]
) -> tuple[list[float], list[Problem], int]:
    """Return 1 for women and 0 for men, NaN for unknown; what is wrong; and how many are unknown by name.

    Parameters
    ----------
    heading
        Name of the column, in lower case.
    codes
        Code -> sex, as of `parse_codes`; None where nobody said.
    missing
        Cells that stand for nothing, in lower case.
    """
    fixed = codes if codes is not None else CODED.get(heading)
    words = {**WORDS, **{key: float(sex == "female") for key, sex in (fixed or {}).items()}}
    values: list[float] = []
    problems: list[Problem] = []
    numbers: dict[str, Location] = {}
    unknown = 0
    for text, where in cells:
        plain = code(text)
        if plain in missing or plain in UNKNOWN:
            unknown += plain in UNKNOWN
            values.append(math.nan)
        elif plain in words:
            values.append(words[plain])
        else:
            values.append(math.nan)
            if plain.lstrip("-").isdigit() and fixed is None:
                numbers.setdefault(plain, where)
            else:
                expected = "female or male" + (f", {', '.join(fixed)}" if fixed else "")
                problems.append(
                    Problem("bad-value", "the sex cannot be read", where, quote_cell(text), expected, WAY_OUT)
                )
    if numbers:
        first = next(iter(numbers.values()))
        examples = sorted(numbers)[:5]
        message = f"{heading} is coded {quote_cell(' and '.join(examples))}, and which is female is not said"
        problems.insert(0, Problem("coded-sex", message, first, quote_cell(", ".join(examples)), "F and M", WAY_OUT))
    return values, problems, unknown

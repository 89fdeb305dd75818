"""Normalise unit spellings of laboratories worldwide to the one that `units` reads.

Only spellings change here, never a meaning: what could be two units stays as it is and is refused by the reader. The letters
m and M are never exchanged.
"""

from __future__ import annotations

import functools
import re
import unicodedata

#: Signs that are drawn in several ways. Compatibility forms (full width, superscripts, both micro signs, narrow spaces) went before.
_SIGNS = str.maketrans(
    {
        "\u03bc": "u",
        "\u2113": "L",
        "\u2215": "/",
        "\u2044": "/",
        "\u00f7": "/",
        "\u00b7": "*",
        "\u22c5": "*",
        "\u2219": "*",
        "\u2022": "*",
        "\u30fb": "*",
        "\u00d7": "*",
        "\u2217": "*",
        "\u2010": "-",
        "\u2011": "-",
        "\u2012": "-",
        "\u2013": "-",
        "\u2212": "-",
        "\u066a": "%",
    }
)
#: Units in other letters, as laboratories in Russia and China print them; the longest first where one begins another.
_SCRIPTS = {
    "\u043c\u043c \u0440\u0442. \u0441\u0442": "mmHg",
    "\u043c\u043c \u0440\u0442.\u0441\u0442": "mmHg",
    "\u043c\u043c \u0440\u0442 \u0441\u0442": "mmHg",
    "\u043c\u043a\u043c\u043e\u043b\u044c": "umol",
    "\u043c\u043c\u043e\u043b\u044c": "mmol",
    "\u043d\u043c\u043e\u043b\u044c": "nmol",
    "\u043f\u043c\u043e\u043b\u044c": "pmol",
    "\u043c\u043e\u043b\u044c": "mol",
    "\u043c\u043a\u0415\u0434": "uU",
    "\u043c\u043a\u041c\u0415": "uU",
    "\u043c\u0415\u0434": "mU",
    "\u043c\u041c\u0415": "mU",
    "\u0435\u0434": "U",
    "\u0415\u0434": "U",
    "\u041c\u0415": "U",
    "\u043a\u041f\u0430": "kPa",
    "\u043c\u0438\u043d": "min",
    "\u0441\u0443\u0442": "day",
    "\u0433\u043e\u0434": "year",
    "\u043c\u043a\u0433": "ug",
    "\u043c\u0433": "mg",
    "\u043d\u0433": "ng",
    "\u043a\u0433": "kg",
    "\u0433": "g",
    "\u043c\u043a\u043b": "uL",
    "\u043c\u043b": "mL",
    "\u0434\u043b": "dL",
    "\u043b": "L",
    "\u0441\u043c": "cm",
    "\u043c2": "m2",
    "\u6beb\u7c73\u6c5e\u67f1": "mmHg",
    "\u5fae\u6469\u5c14": "umol",
    "\u6beb\u6469\u5c14": "mmol",
    "\u7eb3\u6469\u5c14": "nmol",
    "\u76ae\u6469\u5c14": "pmol",
    "\u5fae\u514b": "ug",
    "\u6beb\u514b": "mg",
    "\u7eb3\u514b": "ng",
    "\u5343\u514b": "kg",
    "\u516c\u65a4": "kg",
    "\u514b": "g",
    "\u6beb\u5347": "mL",
    "\u5206\u5347": "dL",
    "\u5347": "L",
    "\u5398\u7c73": "cm",
    "\u5206\u949f": "min",
    "\u5206": "min",
    "\u65e5": "day",
    "\u5e73\u65b9\u7c73": "m2",
    "\u5929": "day",
}
_SCRIPT = re.compile("|".join(re.escape(word) for word in sorted(_SCRIPTS, key=len, reverse=True)))

_AREA = r"(?:m\s*(?:\^|\*\*)?\s*2|sq\.?\s*m(?:et(?:er|re)s?)?|m\s*sq|qm|mq)"
_ONE = rf"1[.,\u00b7*]73[\s_*]*{_AREA}(?:\s*BSA\b)?"
#: Per 1.73 m2 of body surface, in its spellings; a negative exponent belongs to it, as in ``mL min-1 1.73 m-2``.
_BSA_POWER = re.compile(
    r"\*?\s*\(?1[.,\u00b7*]73[\s_*]*m\s*(?:\^|\*\*)?\s*\(?-\s*2\)?|\*?\s*\(1[.,\u00b7*]73[\s_*]*m2\)\s*\^?\(?-\s*1\)?"
)
_BSA = re.compile(rf"\(\s*{_ONE}\s*\)|\{{\s*{_ONE}\s*\}}|{_ONE}|(?<=/)\s*1[.,\u00b7*]73(?=\s*(?:/|$))", re.I)

#: Whole phrases, in order: pattern and replacement.
_PHRASES = [
    (re.compile(pattern, flags), replacement)
    for pattern, flags, replacement in (
        (r"\[in_[iu][sb]*\]", 0, "inch"),
        (r"\[ft_[iu][sb]*\]", 0, "foot"),
        (r"\[lb_av\]", 0, "pound"),
        (r"\[stone_av\]", 0, "stone"),
        (r"\[i?U\]", re.I, "U"),
        (r"mm\s*[-_*]?\s*(?:\[Hg\]|Hg)(?![A-Za-z])", re.I, "mmHg"),
        (r"\btorr\b", re.I, "mmHg"),
        (r"\{[^{}]*\}", 0, ""),
        (r"\bI\.\s*([UE])\.?", 0, r"I\1"),
        (r"\bU\.\s*I\.?", 0, "UI"),
        (r"\bper\s*-?\s*cents?\b|\bpct\b|\bprozent\b|\bprocent\b", re.I, "%"),
        (r"(?<![A-Za-z])per\b|(?<=[a-z] )(?:por|pro|par)(?= [a-z])", re.I, "/"),
        # Old German: a milliequivalent.
        (r"\bmval\b", re.I, "mEq"),
        (r"\bmgr\b", re.I, "mg"),
        # Time at risk: persons are counted, not measured.
        (
            r"\b(?:person|patient|pt|pat|subject|participant)s?\.?[\s*-]*(years?|yrs?|y|months?|mo|days?|d)\b",
            re.I,
            r"\1",
        ),
        (r"\bp\.?\s?y\.?(?:rs?|s)?(?![A-Za-z])", re.I, "year"),
        (r"^\s*(?:events?|cases?|episodes?|deaths?|patients?|persons?|subjects?)\s*(?=/)", re.I, "1"),
        (r"(?<=\d)[,\s](?=\d{3}(?!\d))", 0, ""),
        (r"\b24[\s*-]*(?:h|hr|hrs|hours?|std|stunden|heures?|ore|horas?|uur)\b\.?", re.I, "day"),
        (r"\b100[\s*]*(?:ml|cc|cm3|ccm)\b", re.I, "dL"),
        (r"\b(cc|ccm|cmc)(?=[\s/*]|$)", re.I, "mL"),
        (r"\b(?:sq\.?\s*m|qm|mq|m\s*sq)\b", re.I, "m2"),
        (r"\bp\.\s?a\.?(?![A-Za-z])", re.I, "/year"),
        (r"\bmikro(?=[a-z])", re.I, "micro"),
        (r"\bpiko(?=[a-z])", re.I, "pico"),
        (r"\bmili(?=[a-z])", re.I, "milli"),
        (r"\b([mnpu]?g|mcg|gm|m?mol|m?Eq)\s*%\s*$", 0, r"\1/dL"),
    )
]

#: Words by their lower-case form.
_WORDS = {
    **dict.fromkeys(
        ("d", "day", "days", "die", "tag", "tage", "dag", "jour", "jours", "dia", "dias", "d\u00eda", "giorno"), "day"
    ),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "std", "stunde"), "hour"),
    **dict.fromkeys(("min", "mins", "minute", "minutes", "minuto", "mn"), "min"),
    **dict.fromkeys(("sec", "secs", "second", "seconds"), "second"),
    **dict.fromkeys(("wk", "wks", "week", "weeks"), "week"),
    **dict.fromkeys(("mo", "mos", "mth", "mths", "month", "months"), "month"),
    **dict.fromkeys(
        ("yr", "yrs", "year", "years", "jahr", "jahre", "an", "ans", "anno", "anni", "a\u00f1o", "a\u00f1os", "jaar"),
        "year",
    ),
    **dict.fromkeys(("litre", "litres", "liter", "liters", "ltr", "litro", "litros"), "L"),
    **dict.fromkeys(("gm", "gms", "gr", "grs", "gram", "grams", "gramm"), "g"),
    **dict.fromkeys(("kilo", "kilos", "kgs"), "kg"),
    **dict.fromkeys(("lb", "lbs", "pound", "pounds"), "pound"),
    **dict.fromkeys(("in", "inch", "inches"), "inch"),
    **dict.fromkeys(("ft", "foot", "feet"), "foot"),
    **dict.fromkeys(("st", "stone", "stones"), "stone"),
    **dict.fromkeys(("unit", "units", "einheit", "einheiten", "unidades"), "U"),
    **dict.fromkeys(("fraction", "proportion", "ratio", "share"), "1"),
    "mmhg": "mmHg",
    "kpa": "kPa",
    "hg": "Hg",
}
#: Units whose capitals carry no meaning of their own, with the prefixes that laboratories use.
_BASES = {"mol": "mol", "g": "g", "l": "L", "u": "U", "iu": "U", "ui": "U", "ie": "U", "pa": "Pa", "eq": "Eq", "m": "m"}
_PREFIXES = ("", "f", "p", "n", "u", "mc", "m", "c", "d", "k")
_NAME = re.compile(r"[^\W\d]+")
_POWER = re.compile(
    r"(?<![A-Za-z_\d])([A-Za-z]+)\s*(?:\^|\*\*)?\s*(?:\(\s*(-\s*[1-9])\s*\)|(-\s*[1-9])|([23]))(?![\d.A-Za-z])"
)
_NUMBER_BELOW = re.compile(r"/\s*([1-9][0-9]{0,6}(?:\.[0-9]{1,4})?(?:\^[1-9])?)\s*\*?\s*(?=[A-Za-z]|$)")


def fold(text: str) -> str:
    """Return text with its signs in one form: no full width, superscripts, second micro sign, odd spaces or dashes."""
    folded = unicodedata.normalize("NFKC", text)
    folded = "".join(sign for sign in folded if unicodedata.category(sign) != "Cf")
    return " ".join(folded.translate(_SIGNS).split())


@functools.lru_cache(maxsize=4096)
def respell_unit(text: str) -> tuple[str, float]:
    """Return a unit in the spelling of `units`, and a factor: ``per 1000 PY`` is 0.001 times ``1/year``.

    What is not known stays as it was; nothing is refused here.
    """
    spelt = fold(text)
    if not spelt.isascii():
        spelt = _SCRIPT.sub(lambda match: _SCRIPTS[match[0]], spelt)
    spelt = _BSA.sub("@", _BSA_POWER.sub("*@^-1", spelt))
    for pattern, replacement in _PHRASES:
        spelt = pattern.sub(replacement, spelt)
    spelt = spelt.strip()
    while spelt[:1] + spelt[-1:] in ("[]", "()") and spelt[1:-1].count(spelt[0]) == spelt[1:-1].count(spelt[-1]) == 0:
        spelt = spelt[1:-1].strip()
    # Nothing is measured times 1.73 m2: a dot or a space before it means per.
    spelt = re.sub(r"/\s*\(([^()]*?)[\s*]*@\s*\)", r"/\1/@", spelt)
    spelt = re.sub(r"(?<=\S)[\s*/]*@(?!\^)", "/@", spelt)
    spelt = re.sub(r"(?<=[A-Za-z])\.(?=[A-Za-z])", "*", spelt)
    spelt = re.sub(r"(?<=[A-Za-z])\.(?=\s|/|\*|$)", "", spelt)
    spelt = _POWER.sub(lambda match: f"{match[1]}^{(match[2] or match[3] or match[4]).replace(' ', '')}", spelt)
    spelt = re.sub(r"\s*([/*^])\s*", r"\1", spelt.strip())
    spelt = re.sub(r"(?:(?<=\w)\s|\*)([A-Za-z]+|@)\^-([123])", _below, spelt)
    spelt, factor = _without_numbers(spelt)
    spelt = re.sub(r"(?<=[A-Za-z)%\d])\s+(?=[A-Za-z(@])", "*", spelt).lstrip("*")
    spelt = _NAME.sub(lambda match: _word(match[0]), spelt).replace("@", "1.73m2")
    spelt = ("1" + spelt if spelt.startswith("/") else spelt).removeprefix("1*")
    return spelt or ("1" if text.strip() else ""), factor


def _below(match: re.Match[str]) -> str:
    return f"/{match[1]}" + ("" if match[2] == "1" else f"^{match[2]}")


def _without_numbers(text: str) -> tuple[str, float]:
    """Take numbers below the line out of a unit: ``1/1000year`` is 0.001 times ``1/year``."""
    factor = 1.0
    while (match := _NUMBER_BELOW.search(text)) is not None:
        base, _, power = match[1].partition("^")
        factor /= float(base) ** int(power or 1)
        rest = text[match.end() :]
        text = text[: match.start()] + ("/" + rest if rest and rest[0] not in "/*" else rest)
    return text, factor


def _word(word: str) -> str:
    """Return one name in its usual capitals; a name that is not known as it is."""
    if word in ("a", "y"):
        return "year"
    # Einheit, eenheid, enhet: units of insulin.
    if word in ("E", "mE", "uE"):
        return word[:-1] + "U"
    if word in ("M", "H", "S", "mM", "uM", "nM", "pM", "fM", "m", "mo", "Mg", "ML", "Ml", "MU", "MIU"):
        return word
    usual = _WORDS.get(word.lower())
    if usual is not None:
        return usual
    lower = word.lower()
    for prefix in _PREFIXES:
        base = _BASES.get(lower.removeprefix(prefix)) if lower.startswith(prefix) else None
        if base is None or (base == "m" and word != lower):
            continue
        # A capital M is mega.
        if prefix[:1] == "m" and word[0] == "M":
            continue
        return ("u" if prefix == "mc" else prefix) + base
    return word

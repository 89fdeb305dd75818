"""Rules of ADaM for every data set, and for ADSL."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from .adam_rule import (
    AdamRule,
    CheckedDataset,
    Violation,
    days_of_sas,
    differ,
    many_to_one,
    of_dataset,
    of_records,
    of_variables,
    relative_days,
    unequal,
)

_NAME = re.compile(r"[A-Z_][A-Z0-9_]{0,7}")
#: Dates of ISO 8601, complete or partial, with or without time.
_ISO = re.compile(
    r"\d{4}(-(\d\d|-)(-(\d\d|-)(T(\d\d|-)(:(\d\d|-)(:\d\d(\.\d+)?)?)?(Z|[+-]\d\d:\d\d)?)?)?)?(/.*)?|--\d\d-\d\d|-----\d\d"
)
#: Ends of names of texts -> what they may hold.
_TERMS = {"FL": ("Y", "N", ""), "DTF": ("Y", "M", "D", ""), "TMF": ("H", "M", "S", "")}
#: Population flags of ADSL, which are never empty.
_POPULATIONS = ("SAFFL", "ITTFL", "FASFL", "RANDFL", "ENRLFL", "PPROTFL", "COMPLFL")
_REQUIRED = ("STUDYID", "USUBJID", "SUBJID", "AGE", "AGEU", "SEX", "RACE", "ARM", "TRT01P")
#: Numbers that stand for a text: name of the text -> name of the number, where the name is not the text's and an N.
_NUMBERS = {"PARAMCD": "PARAMN", "AGEGR1": "AGEGR1N", "SEX": "SEXN", "RACE": "RACEN"}


def general_rules() -> tuple[AdamRule, ...]:
    """Return the rules of every data set."""
    return (
        of_dataset("G01", "the name of a data set has at most 8 letters and digits, a letter first", _bad_name, _any),
        of_variables("G02", "the name of a variable has at most 8 capitals, digits and underscores", _bad_variable),
        of_variables("G03", "a label has at most 40 characters", lambda c, n: _label(c, n) if len(_label(c, n)) > 40 else ""),
        of_variables("G04", "every variable has a label", _unlabelled),
        of_variables("G05", "a text has at most 200 characters", lambda c, n: _first_text(c, n, lambda t: len(t) > 200)),
        of_variables("G06", "texts are in ASCII", lambda c, n: _first_text(c, n, lambda t: not (t.isascii() and t.isprintable()))),
        of_variables("G07", "texts do not begin with a blank", lambda c, n: _first_text(c, n, lambda t: t[:1] == " ")),
        of_variables("G08", "numbers are finite", _infinite),
        of_dataset("G09", "there is STUDYID", lambda c: _absent(c, "STUDYID"), _any),
        of_dataset("G10", "there is USUBJID", lambda c: _absent(c, "USUBJID"), _any),
        of_records("G11", "STUDYID is never empty", ("STUDYID",), lambda c: c["STUDYID"] == ""),
        of_records("G12", "USUBJID is never empty", ("USUBJID",), lambda c: c["USUBJID"] == ""),
        of_records("G13", "every subject is in ADSL", ("USUBJID",), _unknown_subject),
        of_records("G14", "STUDYID is that of the subject in ADSL", ("STUDYID", "USUBJID"), _other_study),
        of_variables("G15", "flags (names that end in FL) are Y, N or empty", lambda c, n: _bad_term(c, n, "FL")),
        of_variables("G16", "flags of imputed dates (DTF) are Y, M, D or empty", lambda c, n: _bad_term(c, n, "DTF")),
        of_variables("G17", "flags of imputed times (TMF) are H, M, S or empty", lambda c, n: _bad_term(c, n, "TMF")),
        of_variables("G18", "numeric flags (names that end in FN) are 0, 1 or empty", _bad_number_flag),
        of_variables("G19", "dates (names that end in DT) are numbers", lambda c, n: _text_date(c, n)),
        of_variables("G20", "dates as text (names that end in DTC) are of ISO 8601", _bad_iso),
        of_variables("G21", "there is no day 0 (names that end in DY)", _day_zero),
        of_variables("G22", "a number that stands for a text (TRTPN for TRTP) stands for one, and one for it", _unpaired),
        of_variables("G23", "a variable has one label in all data sets", _other_label),
        of_variables("G24", "a variable has one type in all data sets", _other_type),
        of_variables("G25", "what is repeated of ADSL is what ADSL has", _other_value),
        of_records("G26", "no record is there twice", ("USUBJID",), lambda c: c.frame.duplicated().to_numpy()),
        of_records("G27", "ASEQ is there, and unique within the subject", ("ASEQ",), lambda c: c["ASEQ"].isna() | c.frame.duplicated(["USUBJID", "ASEQ"])),
        of_dataset("G28", "there is ADSL", _no_adsl, _any),
    )  # fmt: skip


def subject_rules() -> tuple[AdamRule, ...]:
    """Return the rules of ADSL."""

    def rows(id: str, text: str, names: tuple[str, ...], broken: object) -> AdamRule:
        return of_records(id, text, names, broken, lambda c: c.is_subject_level)  # type: ignore[arg-type]

    return (
        rows("S01", "there is one record per subject", ("USUBJID",), lambda c: c.frame.duplicated("USUBJID")),
        of_dataset("S02", f"there are {', '.join(_REQUIRED)}", _required, lambda c: c.is_subject_level),
        rows("S03", "TRT01P is never empty", ("TRT01P",), lambda c: c["TRT01P"] == ""),
        rows("S04", "treatment does not end before it begins", ("TRTEDT", "TRTSDT"), lambda c: c.days("TRTEDT") < c.days("TRTSDT")),
        rows("S05", "who has an end of treatment has a start", ("TRTEDT", "TRTSDT"), lambda c: c["TRTEDT"].notna() & c["TRTSDT"].isna()),
        rows("S06", "TRTDURD is TRTEDT - TRTSDT + 1", ("TRTDURD", "TRTEDT", "TRTSDT"), lambda c: differ(c["TRTDURD"], c.days("TRTEDT") - c.days("TRTSDT") + 1.0)),
        rows("S07", "AGE is there, from 0 to 120", ("AGE",), lambda c: ~c["AGE"].between(0.0, 120.0)),
        rows("S08", "AGEU is YEARS, MONTHS, WEEKS, DAYS or HOURS", ("AGEU",), lambda c: ~c["AGEU"].isin(["YEARS", "MONTHS", "WEEKS", "DAYS", "HOURS"])),
        rows("S09", "SEX is F, M, U or INTERSEX", ("SEX",), lambda c: ~c["SEX"].isin(["F", "M", "U", "INTERSEX", "UNDIFFERENTIATED"])),
        rows("S10", "DTHFL is Y where there is a date of death, and nowhere else", ("DTHFL", "DTHDT"), lambda c: (c["DTHFL"] == "Y") != c["DTHDT"].notna()),
        rows("S11", "DTHDTC and DTHDT are one day", ("DTHDTC", "DTHDT"), _other_death_day),
        rows("S12", "nobody dies before treatment begins", ("DTHDT", "TRTSDT"), lambda c: c.days("DTHDT") < c.days("TRTSDT")),
        rows("S13", "DTHADY is the study day of DTHDT", ("DTHADY", "DTHDT", "TRTSDT"), lambda c: unequal(c["DTHADY"], relative_days(c.days("DTHDT"), c.days("TRTSDT")))),
        rows("S14", "EOSSTT is COMPLETED, DISCONTINUED or ONGOING", ("EOSSTT",), lambda c: ~c["EOSSTT"].isin(["COMPLETED", "DISCONTINUED", "ONGOING", ""])),
        rows("S15", "DCSREAS is there for those who discontinued, and nobody else", ("DCSREAS", "EOSSTT"), lambda c: (c["EOSSTT"] == "DISCONTINUED") != (c["DCSREAS"] != "")),
        rows("S16", "the study does not end before treatment begins", ("EOSDT", "TRTSDT"), lambda c: c.days("EOSDT") < c.days("TRTSDT")),
        rows("S17", "RANDFL is Y where there is a date of randomisation, and nowhere else", ("RANDFL", "RANDDT"), lambda c: (c["RANDFL"] == "Y") != c["RANDDT"].notna()),
        rows("S18", "nobody is known alive after death", ("LSTALVDT", "DTHDT"), lambda c: c.days("LSTALVDT") > c.days("DTHDT")),
        of_dataset("S19", "there is a flag of a population", _no_population, lambda c: c.is_subject_level),
        of_variables("S20", "flags of populations are Y or N", _empty_population, lambda c: c.is_subject_level),
        rows("S21", "DCSREAS is DEATH only of those who died", ("DCSREAS", "DTHFL"), lambda c: (c["DCSREAS"] == "DEATH") & (c["DTHFL"] != "Y")),
        rows("S22", "USUBJID ends in SUBJID", ("SUBJID", "USUBJID"), lambda c: [not str(u).endswith(str(s)) for u, s in zip(c["USUBJID"], c["SUBJID"], strict=True)]),
    )  # fmt: skip


def _any(checked: CheckedDataset) -> bool:
    return True


def _bad_name(checked: CheckedDataset) -> Iterator[Violation]:
    if not re.fullmatch(r"[A-Z][A-Z0-9]{0,7}", checked.dataset.name):
        yield Violation("", 0, checked.dataset.name)


def _bad_variable(checked: CheckedDataset, name: str) -> str:
    return "" if _NAME.fullmatch(name) else f"name {name}"


def _label(checked: CheckedDataset, name: str) -> str:
    return checked.dataset.labels.get(name, "")


def _unlabelled(checked: CheckedDataset, name: str) -> str:
    # Formats without labels have none at all.
    return f"{name} has no label" if checked.dataset.labels and not _label(checked, name) else ""


def _first_text(checked: CheckedDataset, name: str, bad: object) -> str:
    if not checked.dataset.is_text(name):
        return ""
    return next((repr(text[:60]) for text in checked.frame[name].unique() if bad(text)), "")  # type: ignore[operator]


def _infinite(checked: CheckedDataset, name: str) -> str:
    column = checked.frame[name]
    return "infinite" if column.dtype.kind == "f" and bool(np.isinf(column.to_numpy()).any()) else ""


def _absent(checked: CheckedDataset, name: str) -> Iterator[Violation]:
    if name not in checked.frame:
        yield Violation(name, 0, "is not there")


def _unknown_subject(checked: CheckedDataset) -> object:
    if checked.subjects is None:
        return np.zeros(len(checked.frame), dtype=bool)
    return ~checked["USUBJID"].isin(checked.subjects.index)


def _other_study(checked: CheckedDataset) -> object:
    if checked.subjects is None or "STUDYID" not in checked.subjects:
        return np.zeros(len(checked.frame), dtype=bool)
    theirs = checked.frame["USUBJID"].map(checked.subjects["STUDYID"])
    return theirs.notna() & (theirs != checked["STUDYID"])


def _bad_term(checked: CheckedDataset, name: str, end: str) -> str:
    if not name.endswith(end) or not checked.dataset.is_text(name):
        return ""
    return _first_text(checked, name, lambda text: text not in _TERMS[end])


def _bad_number_flag(checked: CheckedDataset, name: str) -> str:
    column = checked.frame[name]
    if not name.endswith("FN") or column.dtype.kind != "f":
        return ""
    bad = column.dropna()[~column.dropna().isin([0.0, 1.0])]
    return f"{bad.iloc[0]:g}" if len(bad) else ""


def _text_date(checked: CheckedDataset, name: str) -> str:
    return "holds text" if name.endswith("DT") and len(name) > 2 and checked.dataset.is_text(name) else ""


def _bad_iso(checked: CheckedDataset, name: str) -> str:
    return _first_text(checked, name, lambda text: text and not _ISO.fullmatch(text)) if name.endswith("DTC") else ""


def _day_zero(checked: CheckedDataset, name: str) -> str:
    column = checked.frame[name]
    if not name.endswith("DY") or column.dtype.kind != "f" or not bool((column == 0.0).any()):
        return ""
    return checked.example(int(np.flatnonzero(column == 0.0)[0]), name)


def _unpaired(checked: CheckedDataset, name: str) -> str:
    number = _NUMBERS.get(name, f"{name}N")
    if name not in checked.frame or number not in checked.frame or not checked.dataset.is_text(name):
        return ""
    return many_to_one(checked.frame, name, number) or many_to_one(checked.frame, number, name)


def _other_label(checked: CheckedDataset, name: str) -> str:
    label = _label(checked, name)
    for other in checked.folder.values():
        if other.name < checked.dataset.name and name in other.frame and other.labels.get(name, label) != label:
            return f"{label!r}, in {other.name} {other.labels[name]!r}"
    return ""


def _other_type(checked: CheckedDataset, name: str) -> str:
    for other in checked.folder.values():
        if (
            other.name < checked.dataset.name
            and name in other.frame
            and other.is_text(name) != checked.dataset.is_text(name)
        ):
            return f"text in one of {other.name} and {checked.dataset.name}, numbers in the other"
    return ""


def _other_value(checked: CheckedDataset, name: str) -> str:
    subjects = checked.subjects
    if checked.is_subject_level or subjects is None or name not in subjects or "USUBJID" not in checked.frame:
        return ""
    theirs, ours = checked.frame["USUBJID"].map(subjects[name]), checked.frame[name]
    if {theirs.dtype.kind, ours.dtype.kind} == {"M", "f"}:
        # Dates without a format are days of SAS.
        theirs, ours = (days_of_sas(column) for column in (theirs, ours))
    apart = checked["USUBJID"].isin(subjects.index) & (theirs != ours) & ~(theirs.isna() & ours.isna())
    if theirs.dtype.kind == "f" and ours.dtype.kind == "f":
        apart &= unequal(theirs, ours)
    rows = np.flatnonzero(apart)
    return f"{checked.example(int(rows[0]), name)}; in ADSL {theirs.iloc[rows[0]]}" if len(rows) else ""


def _no_adsl(checked: CheckedDataset) -> Iterator[Violation]:
    # Said once, by the first data set.
    if "ADSL" not in checked.folder and checked.dataset.name == min(checked.folder):
        yield Violation("", 0, "the folder has no ADSL")


def _required(checked: CheckedDataset) -> Iterator[Violation]:
    for name in _REQUIRED:
        yield from _absent(checked, name)


def _other_death_day(checked: CheckedDataset) -> object:
    dates = checked["DTHDT"].dt.strftime("%Y-%m-%d").fillna("") if checked["DTHDT"].dtype.kind == "M" else None
    if dates is None:
        return np.zeros(len(checked.frame), dtype=bool)
    texts = checked["DTHDTC"].str.slice(0, 10)
    return (texts.str.len() == 10) & (texts != dates)


def _no_population(checked: CheckedDataset) -> Iterator[Violation]:
    if not set(_POPULATIONS) & set(checked.frame.columns):
        yield Violation("", 0, f"none of {', '.join(_POPULATIONS)}")


def _empty_population(checked: CheckedDataset, name: str) -> str:
    if name not in _POPULATIONS:
        return ""
    rows = np.flatnonzero(~checked.frame[name].isin(["Y", "N"]))
    return checked.example(int(rows[0]), name) if len(rows) else ""

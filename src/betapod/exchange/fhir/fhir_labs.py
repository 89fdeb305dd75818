"""Labs of one person from the resources of a FHIR file: observations by LOINC and UCUM, conditions, drugs, who must be refused.

What cannot be used (another specimen, a result that was entered in error, a code that is not read) is left out with its reason. What is
wrong in itself, such as a unit that the quantity cannot have, is a problem with its JSON pointer; all of them come at once.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...base.constants import DAYS_PER_YEAR
from ...base.errors import BetapodError, ExchangeError, Location, Problem
from ...base.nouns import with_noun
from ...observables.kdigo import g_category
from ...twins.lab_quantities import converted_lab, loinc_codes
from ...twins.lab_table import lab_date
from ...twins.person_labs import LabValue, PersonLabs, person_of_labs
from .clinical_codes import REFUSED_STATES, ClinicalCode, code_meaning
from .fhir_resources import FhirResource, fhir_resources

#: States of an observation that count, and of conditions, drugs and procedures that do not.
_FINAL = ("final", "amended", "corrected")
_NOT_NOW = ("inactive", "resolved", "remission")
_NOT_SO = ("refuted", "entered-in-error")
_STOPPED = ("stopped", "cancelled", "entered-in-error", "draft", "completed", "not-taken", "on-hold", "unknown")
#: Numbers that laboratories print are smaller; infinity and what is no number are not.
_LARGEST = 1e12
#: By how much an eGFR may lie beyond the stage that is coded: the error of one measurement.
_NEAR = 0.08
_HISTORY = ("hf", "coronary_disease", "cvd", "atrial_fibrillation", "smoker", "ex_smoker", "hypertension")
_DRUGS = ("MedicationRequest", "MedicationStatement", "MedicationUsage")
_LOINC = "loinc.org"
_REFUSALS = {
    "dialysis": "people on dialysis, or whose kidneys have failed, are not simulated",
    "transplant": "people with a kidney transplant are not simulated",
    "pregnancy": "pregnancy is not simulated: labs and care are others",
}


def read_fhir_labs(path: str | Path) -> PersonLabs:
    """Return the person of a FHIR R4 file: a Bundle of any kind, a patient summary, NDJSON, also gzipped.

    Raises
    ------
    ExchangeError
        Not FHIR, several patients, somebody whom nothing here is for (dialysis, a kidney transplant, pregnancy, a child), or values that cannot be
        read: all at once, each with its JSON pointer.
    """
    reader = _FhirReader(str(path))
    for resource in fhir_resources(path):
        reader.read(resource)
    return reader.person()


def _dicts(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list; nothing of what is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _codings(concept: Any) -> Iterator[tuple[str, str]]:
    for coding in _dicts(concept.get("coding") if isinstance(concept, dict) else None):
        yield str(coding.get("system", "")), str(coding.get("code", ""))


def _words(concept: Any) -> str:
    """Return a concept as people read it."""
    if not isinstance(concept, dict):
        return ""
    displays = [str(coding["display"]) for coding in _dicts(concept.get("coding")) if coding.get("display")]
    return str(concept.get("text") or (displays[0] if displays else ""))


def _date_of(content: Mapping[str, Any]) -> datetime.date | None:
    period = content.get("effectivePeriod")
    starts = [content.get("effectiveDateTime"), content.get("effectiveInstant"), content.get("performedDateTime")]
    starts += [period.get("end") or period.get("start")] if isinstance(period, dict) else []
    dates = (lab_date(text) for text in starts if isinstance(text, str))
    return next((date for date in dates if date), None)


class _FhirReader:
    """What was read so far, and what was wrong."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.values: list[LabValue] = []
        self.patients: list[FhirResource] = []
        self.drugs: dict[str, None] = {}
        self.states: dict[str, tuple[ClinicalCode, str]] = {}
        self.left_out: list[str] = []
        self.unread: Counter[str] = Counter()

    def _where(self, pointer: str) -> Location:
        return Location(f"{self.file} {pointer or '/'}")

    def read(self, resource: FhirResource) -> None:
        content, pointer = resource.content, resource.pointer
        if resource.kind == "Patient":
            self.patients.append(resource)
        elif resource.kind == "Observation":
            self._observation(content, pointer)
        elif resource.kind in ("Condition", "Procedure"):
            self._condition(content, pointer)
        elif resource.kind in _DRUGS and content.get("status") not in _STOPPED:
            concept = content.get("medicationCodeableConcept") or _concept(content.get("medication"))
            if words := _words(concept):
                self.drugs[words] = None

    # -- observations ------------------------------------------------------------------------------------------------

    def _observation(self, content: Mapping[str, Any], pointer: str) -> None:
        status, date = content.get("status"), _date_of(content)
        parts = [(content, pointer)]
        parts += [(item, f"{pointer}/component/{i}") for i, item in enumerate(_list_of(content.get("component")))]
        for part, spot in parts:
            if not isinstance(part, dict):
                continue
            self._coded_answer(part, spot)
            code = next(
                (code for system, code in _codings(part.get("code")) if _LOINC in system and code in loinc_codes()), ""
            )
            if not code:
                if "valueQuantity" in part:
                    self.unread[_words(part.get("code")) or "an observation without a code"] += 1
                continue
            if status not in _FINAL:
                self.left_out.append(f"{spot}: {loinc_codes()[code].quantity}, status {status!r}")
                continue
            self._number(part, code, date, spot)

    def _number(self, part: Mapping[str, Any], code: str, date: datetime.date | None, pointer: str) -> None:
        meaning, quantity = loinc_codes()[code], part.get("valueQuantity")
        if meaning.method == "JDS":
            self.left_out.append(f"{pointer}: HbA1c by JDS (LOINC {code}) is not converted")
            return
        if not isinstance(quantity, dict):
            if part.get("dataAbsentReason") is None:
                self.left_out.append(f"{pointer}: {meaning.quantity} (LOINC {code}) without a number")
            return
        if quantity.get("comparator"):
            self.left_out.append(
                f"{pointer}: {meaning.quantity} {quantity['comparator']} {quantity.get('value')}: a bound, no number"
            )
            return
        value, unit = quantity.get("value"), str(quantity.get("code") or quantity.get("unit") or "")
        where = self._where(f"{pointer}/valueQuantity")
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < _LARGEST:
            self.problems.append(
                Problem("bad-number", f"{meaning.quantity}: the value is no number", where, str(value)[:60])
            )
            return
        if meaning.quantity == "egfr" and unit.replace(" ", "") in ("mL/min", "ml/min"):
            # The codes are per 1.73 m2 of body surface, which some systems do not repeat in the unit.
            unit = "mL/min/1.73m2"
        try:
            number = converted_lab(meaning.quantity, float(value), unit, where)
        except BetapodError as error:
            self.problems += error.problems
            return
        self.values.append(LabValue(meaning.quantity, number, f"{value:g} {unit}", date, pointer, meaning.method))

    def _coded_answer(self, part: Mapping[str, Any], pointer: str) -> None:
        """Keep what an observation answers by a code: smoking, pregnancy."""
        for system, code in _codings(part.get("valueCodeableConcept")):
            self._keep(code_meaning(system, code), pointer)

    # -- conditions and procedures -----------------------------------------------------------------------------------

    def _condition(self, content: Mapping[str, Any], pointer: str) -> None:
        clinical = {code for _, code in _codings(content.get("clinicalStatus"))}
        verified = {code for _, code in _codings(content.get("verificationStatus"))}
        if (
            clinical & set(_NOT_NOW)
            or verified & set(_NOT_SO)
            or content.get("status") in ("not-done", "entered-in-error", "preparation")
        ):
            return
        for system, code in _codings(content.get("code")):
            self._keep(code_meaning(system, code), pointer)

    def _keep(self, meaning: ClinicalCode | None, pointer: str) -> None:
        if meaning is not None:
            self.states.setdefault(meaning.means, (meaning, pointer))

    # -- the person --------------------------------------------------------------------------------------------------

    def person(self) -> PersonLabs:
        today = max((item.date for item in self.values if item.date), default=None)
        age, female = self._patient(today)
        for state in REFUSED_STATES:
            if state in self.states:
                meaning, pointer = self.states[state]
                message = f"{meaning.label}: {_REFUSALS[state]}"
                self.problems.append(
                    Problem(f"refused-{state}", message, self._where(pointer), found=f"code {meaning.code}")
                )
        if age is not None and age < 18.0:
            self.problems.append(
                Problem(
                    "refused-child",
                    "children are not simulated",
                    self._where("/"),
                    f"{age:.0f} years",
                    "18 years or more",
                )
            )
        if self.problems:
            raise ExchangeError(self.problems)
        diabetes = self._diabetes()
        history: dict[str, bool] = {name: True for name in _HISTORY if name in self.states}
        if "coronary_disease" in history:
            history["cvd"] = True
        notes = [f"ages and eGFR are those of {today}, the day of the latest lab"] if today else []
        if self.unread:
            most = ", ".join(f"{name} ({count})" for name, count in self.unread.most_common(5))
            count = self.unread.total()
            verb = "is" if count == 1 else "are"
            more = " ..." if len(self.unread) > 5 else ""
            notes.append(f"{with_noun(count, 'other observation')} {verb} not read: {most}{more}")
        try:
            person = person_of_labs(
                self.values, age, female, diabetes, tuple(self.drugs), history, self.left_out, notes
            )
        except BetapodError as error:
            raise ExchangeError([replace(problem, location=self._where("/")) for problem in error.problems]) from None
        return _with_contradictions(person, self.states)

    def _patient(self, today: datetime.date | None) -> tuple[float | None, int | None]:
        if len({str(item.content.get("id") or item.pointer) for item in self.patients}) > 1:
            places = ", ".join(item.pointer or "/" for item in self.patients[:5])
            message = f"the file is of {len(self.patients)} patients"
            self.problems.append(Problem("several-patients", message, self._where("/"), places, "one"))
        if not self.patients:
            return None, None
        content, pointer = self.patients[0].content, self.patients[0].pointer
        female = {"female": 1, "male": 0}.get(str(content.get("gender")))
        born = content.get("birthDate")
        date = lab_date(born) if isinstance(born, str) else None
        if born is not None and date is None:
            self.problems.append(
                Problem("bad-date", "the date of birth is no date", self._where(f"{pointer}/birthDate"), str(born)[:40])
            )
        if date is None or today is None:
            return None, female
        return (today - date).days / DAYS_PER_YEAR, female

    def _diabetes(self) -> str:
        if "type 1" in self.states:
            return "type 1"
        return "type 2" if "type 2" in self.states else ""


def _list_of(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _concept(medication: Any) -> Any:
    """Return the concept of a medication of R5, where it stands one deeper."""
    return medication.get("concept") if isinstance(medication, dict) else None


def _with_contradictions(person: PersonLabs, states: Mapping[str, tuple[ClinicalCode, str]]) -> PersonLabs:
    """Add what coded conditions say against the labs."""
    against: list[str] = []
    stages: Sequence[str] = [name for name in ("G1", "G2", "G3a", "G3b", "G4", "G5") if name in states]
    egfr = person.value("egfr")
    stage = g_category([egfr])[0]
    near = set(g_category([egfr * (1.0 - _NEAR), egfr, egfr * (1.0 + _NEAR)]))
    if stages and stage and not near & set(stages):
        label = states[stages[-1]][0].label
        against.append(f"coded as {label} ({stages[-1]}), and the eGFR of {egfr:.0f} is {stage}")
    if "type 1" in states and "type 2" in states:
        against.append("coded with type 1 and type 2 diabetes; type 1 is taken")
    hba1c = person.value("hba1c")
    if not person.diabetes and hba1c >= 6.5:
        against.append(f"HbA1c {hba1c:.1f} % without a code of diabetes; type 2 diabetes is likely")
    return replace(person, contradictions=(*person.contradictions, *against))

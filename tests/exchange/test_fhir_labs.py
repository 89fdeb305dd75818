"""Labs from FHIR: synthetic bundles of others where they are at hand, small ones here, and damaged ones."""

from __future__ import annotations

import copy
import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest

from betapod.base.errors import BetapodError
from betapod.exchange.fhir.clinical_codes import code_meaning
from betapod.exchange.fhir.fhir_labs import read_fhir_labs

BUNDLES = Path(__file__).parents[3] / "shared" / "golden" / "fhir" / "carebundle"
NEEDS_BUNDLES = pytest.mark.skipif(not BUNDLES.is_dir(), reason="the synthetic bundles of carebundle are not here")


def observation(code: str, value: float, unit: str, day: str = "2025-03-01", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "effectiveDateTime": f"{day}T09:00:00Z",
        "valueQuantity": {"value": value, "unit": unit, "code": unit},
        **more,
    }


def condition(system: str, code: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Condition", "code": {"coding": [{"system": system, "code": code}]}, **more}


ICD = "http://hl7.org/fhir/sid/icd-10-cm"
PATIENT = {"resourceType": "Patient", "gender": "male", "birthDate": "1964-02-01", "name": [{"family": "Nobody"}]}


def bundle(*resources: dict[str, Any], kind: str = "collection") -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": [{"resource": item} for item in (PATIENT, *resources)]}


def written(tmp_path: Path, document: Any, name: str = "labs.json") -> Path:
    path = tmp_path / name
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


@NEEDS_BUNDLES
def test_synthetic_people_of_others_are_read() -> None:
    """Filtration within 0.5 of what the bundle says, and every unit as an independent few lines read it."""
    paths = sorted(BUNDLES.glob("*.json"))
    assert len(paths) == 20
    names = {
        "2160-0": "creatinine",
        "9318-7": "uacr",
        "4548-4": "hba1c",
        "29463-7": "weight",
        "8480-6": "sbp",
        "17861-6": "calcium",
    }
    for path in paths:
        labs = read_fhir_labs(path)
        raw: dict[str, float] = {}
        for entry in json.loads(path.read_text(encoding="utf-8"))["entry"]:
            resource = entry["resource"]
            for part in [resource, *resource.get("component", [])] if resource["resourceType"] == "Observation" else []:
                raw[part["code"]["coding"][0]["code"]] = part.get("valueQuantity", {}).get("value", float("nan"))
        assert labs.value("egfr") == pytest.approx(raw["98979-8"], abs=0.5), path.name
        for code, name in names.items():
            assert labs.value(name) == pytest.approx(raw[code], rel=1e-9), (path.name, name)
        assert labs.value("albumin") == pytest.approx(10 * raw["1751-7"])
        assert (labs.diabetes == "type 2") == path.name.startswith("type2"), path.name
        assert not labs.contradictions, path.name


def test_a_summary_with_units_of_europe(tmp_path: Path) -> None:
    pressure = {"resourceType": "Observation", "status": "final", "effectiveDateTime": "2025-02", "code": {}, "component": [observation("8480-6", 138, "mm[Hg]")]}  # fmt: skip
    drug = {
        "resourceType": "MedicationStatement",
        "status": "active",
        "medicationCodeableConcept": {"text": "Ramipril 5 mg"},
    }
    old = {**drug, "status": "stopped", "medicationCodeableConcept": {"text": "Metformin"}}
    document = bundle(
        observation("14682-9", 124, "umol/L"), observation("14959-1", 43, "mg/mmol"), observation("59261-8", 68, "mmol/mol"),
        pressure, drug, old, condition(ICD, "E11.9"), condition("http://snomed.info/sct", "84114007"), kind="document",
    )  # fmt: skip
    labs = read_fhir_labs(written(tmp_path, document))
    assert (labs.female, labs.diabetes, labs.drugs, labs.history) == (0, "type 2", ("Ramipril 5 mg",), {"hf": True})
    assert labs.value("sbp") == 138 and labs.value("hba1c") == pytest.approx(8.37, abs=0.01)
    assert labs.age == pytest.approx(61.08, abs=0.01)
    packed = tmp_path / "labs.json.gz"
    packed.write_bytes(gzip.compress(json.dumps(document).encode()))
    assert read_fhir_labs(packed).used == labs.used
    lines = tmp_path / "labs.ndjson"
    lines.write_text("\n".join(json.dumps(entry["resource"]) for entry in document["entry"]), encoding="utf-8")
    assert read_fhir_labs(lines).value("uacr") == labs.value("uacr")


@pytest.mark.parametrize(
    ("resource", "kind"),
    [
        (condition(ICD, "Z99.2"), "refused-dialysis"),
        (condition("http://snomed.info/sct", "265764009"), "refused-dialysis"),
        (condition(ICD, "Z94.0"), "refused-transplant"),
        (condition(ICD, "O24.4"), "refused-pregnancy"),
        ({**PATIENT, "id": "other"}, "several-patients"),
    ],
)
def test_people_whom_nothing_here_is_for_are_refused(resource: dict[str, Any], kind: str, tmp_path: Path) -> None:
    with pytest.raises(BetapodError) as error:
        read_fhir_labs(written(tmp_path, bundle(observation("2160-0", 1.2, "mg/dL"), resource)))
    assert error.value.kinds == (kind,)
    assert kind == "several-patients" or "/entry/2/resource" in str(error.value)


def test_what_is_over_or_refuted_does_not_count(tmp_path: Path) -> None:
    def status(name: str, code: str) -> dict[str, Any]:
        return {name: {"coding": [{"code": code}]}}

    document = bundle(
        observation("2160-0", 1.2, "mg/dL"),
        condition(ICD, "O09", **status("clinicalStatus", "resolved")),
        condition(ICD, "Z99.2", **status("verificationStatus", "refuted")),
    )
    assert read_fhir_labs(written(tmp_path, document)).value("creatinine") == 1.2


def test_every_wrong_value_is_told_with_its_pointer(tmp_path: Path) -> None:
    document = bundle(
        observation("2160-0", 124, "mg/dL"), observation("9318-7", 43, "mg/L"), observation("4548-4", 8, "")
    )
    with pytest.raises(BetapodError) as error:
        read_fhir_labs(written(tmp_path, document))
    assert error.value.kinds == ("impossible-value", "wrong-unit", "missing-unit")
    for number, problem in enumerate(error.value.problems, 1):
        assert problem.location.file.endswith(f" /entry/{number}/resource/valueQuantity")


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    bound = observation("9318-7", 3, "mg/g")
    bound["valueQuantity"]["comparator"] = "<"
    document = bundle(observation("2160-0", 1.2, "mg/dL"), bound, observation("62388-4", 6, "%"), observation("4548-4", 8, "%", status="entered-in-error"))  # fmt: skip
    labs = read_fhir_labs(written(tmp_path, document))
    assert len(labs.left_out) == 3 and "a bound" in labs.left_out[0] and "JDS" in labs.left_out[1]


def test_codes_against_labs_are_contradictions(tmp_path: Path) -> None:
    document = bundle(observation("2160-0", 0.9, "mg/dL"), observation("4548-4", 8, "%"), condition(ICD, "N18.4"))
    found = read_fhir_labs(written(tmp_path, document)).contradictions
    assert len(found) == 2 and "G4" in found[0] and "without a code of diabetes" in found[1]


@pytest.mark.parametrize(
    ("text", "kind"), [("{", "no-json"), ("[]", "no-fhir"), ('{"a": 1}', "no-fhir"), ("[" * 100_000, "no-json")]
)
def test_what_is_no_fhir_is_refused(text: str, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "labs.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BetapodError) as error:
        read_fhir_labs(path)
    assert error.value.kinds == (kind,)


def test_an_empty_person_and_lines_that_are_no_json_have_their_place(tmp_path: Path) -> None:
    with pytest.raises(BetapodError) as error:
        read_fhir_labs(written(tmp_path, bundle()))
    assert error.value.kinds == ("no-labs",) and error.value.problems[0].location.file.endswith("labs.json /")
    lines = tmp_path / "labs.ndjson"
    good = json.dumps(observation("2160-0", 1.2, "mg/dL"))
    lines.write_text(f"{good}\n\n{{\n{good}\n[1,\n{good}\n", encoding="utf-8")
    with pytest.raises(BetapodError) as error:
        read_fhir_labs(lines)
    assert [problem.location.line for problem in error.value.problems] == [3, 5]


def test_codes_mean_what_longer_ones_mean() -> None:
    assert code_meaning(ICD, "E11.65").means == "type 2"  # type: ignore[union-attr]
    assert code_meaning(ICD, "N18.30") is None and code_meaning("http://loinc.org", "E11.9") is None


def _damaged(value: Any, random_numbers: random.Random) -> Any:
    """Return a document with one part replaced by nonsense."""
    places: list[tuple[Any, Any]] = []

    def walk(node: Any) -> None:
        for key in node if isinstance(node, dict) else range(len(node)):
            places.append((node, key))
            if isinstance(node[key], (dict, list)):
                walk(node[key])

    document = copy.deepcopy(value)
    walk(document)
    node, key = random_numbers.choice(places)
    node[key] = random_numbers.choice(
        [None, "", "x", -1, 1e308, True, [], {}, [None], {"coding": 3}, "2025-99-99", 10**400]
    )
    return document


def test_damaged_bundles_end_in_a_message(tmp_path: Path) -> None:
    whole = bundle(
        observation("2160-0", 1.2, "mg/dL"), observation("9318-7", 43, "mg/g"), condition(ICD, "E11.9"),
        {"resourceType": "MedicationRequest", "status": "active", "medicationCodeableConcept": {"text": "metformin"}},
        {"resourceType": "Observation", "status": "final", "code": {}, "component": [observation("8480-6", 138, "mm[Hg]")]},
    )  # fmt: skip
    random_numbers = random.Random(1)
    path, refused = tmp_path / "labs.json", 0
    for _ in range(300):
        path.write_text(json.dumps(_damaged(whole, random_numbers)), encoding="utf-8")
        try:
            read_fhir_labs(path)
        except BetapodError:
            refused += 1
    assert 0 < refused < 300

"""What the server answers: evidence, one patient, models of one's own, and everything that is wrong with a request."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from served import SMALL, Served

import betapod

POOL = "reads feed [mg/day]\ndA/dt = feed - k*A  [mg/day]  amount\nA(0) = A0  [mg]\n"
NUMBERS = "id,value,unit\nfeed,0,mg/day\nk,0.5,1/day\nA0,10,mg\n"


def test_the_interface_describes_itself(served: Served) -> None:
    document = served.get("/api/openapi.json").json
    assert document["openapi"].startswith("3.1")
    ways = {(path, way) for path, ways in document["paths"].items() for way in ways}
    assert len(ways) == 19
    for path, way in ways:
        described = document["paths"][path][way]
        assert described["summary"] and described["operationId"]
        assert "application/problem+json" in described["responses"]["422"]["content"]


def test_evidence_is_that_of_the_package(served: Served) -> None:
    told = served.get("/api/evidence/pool?product=UC-MSC&endpoint=HbA1c&contrast=between&across=population").json
    records = betapod.load_evidence().select(endpoint="HbA1c", product="UC-MSC", controls=True)
    pooled = betapod.pool(records, contrast="between", across=["population"])
    assert (told["estimate"], told["ci"], told["k"]) == (pooled.estimate, list(pooled.ci), pooled.k)
    assert told["certainty"]["level"] == betapod.grade(records, pooled).level
    rows = served.get("/api/evidence/records?endpoint=HbA1c&product=UC-MSC&limit=3&offset=1").json
    chosen = betapod.load_evidence().select(endpoint="HbA1c", product="UC-MSC", tag=None)
    assert rows["total"] == len(chosen)
    assert [row["id"] for row in rows["records"]] == [record.id for record in chosen[1:4]]
    assert all(row["tag"] in ("seen", "memory") for row in rows["records"])
    terms = served.get("/api/evidence/terms/product").json["terms"]
    assert {"name": "UC-MSC", "records": sum(r.product == "UC-MSC" for r in betapod.load_evidence())} in terms


def test_a_patient_is_answered_as_by_the_package(served: Served) -> None:
    asked = {"labs": {"age": 61, "egfr": 52, "uacr": "43 mg/mmol"}, "options": ["SGLT2 inhibitor"], "people": 100}
    told = served.post("/api/patient", asked).json
    forecast = betapod.forecast_patient(asked["labs"], asked["options"], people=100)
    document = json.loads(json.dumps(forecast.document(), default=str))
    assert told["options"][1]["death"] == document["options"][1]["death"]
    assert told["options"][1]["egfr"] == {
        str(year): list(band) for year, band in forecast.outcomes.options[1].egfr.items()
    }
    assert len(told["sentences"]) == 6 and told["stage"].startswith("KDIGO G3aA3")
    assert len(told["tables"]) == 3


def test_labs_may_come_as_fhir(served: Served) -> None:
    unit = {"value": 52, "unit": "mL/min/{1.73_m2}", "system": "http://unitsofmeasure.org", "code": "mL/min/{1.73_m2}"}
    observed = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "98979-8"}]},
        "valueQuantity": unit,
        "effectiveDateTime": "2025-03-01",
    }
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": observed}]}
    asked = {"fhir": bundle, "labs": {"age": "61"}, "people": 100}
    told = served.post("/api/patient", asked).json
    assert told["person"]["age"] == 61 and told["person"]["labs"]["egfr"]["value"] == 52
    observed["valueQuantity"] = {**unit, "code": "mg", "unit": "mg"}
    problem = served.post("/api/patient", asked).problems[0]
    assert problem["file"].startswith("fhir.json") and "/entry/0" in problem["file"]


def test_a_model_of_ones_own_is_simulated(served: Served) -> None:
    asked = {
        "equations": POOL,
        "parameters": NUMBERS,
        "times": [0, 1, 2.5, 4],
        "values": {"k": "0.02 1/h"},
        "switches": [{"input": "feed", "value": 3.0, "time": 1.0}],
        "doses": [{"state": "A", "amount": 5.0, "time": 2.0}],
        "outputs": ["A"],
    }
    told = served.post("/api/simulate", asked).json
    k, at = 0.48, np.array(asked["times"])
    exact = 10 * np.exp(-k * at) + (at > 1) * 3 / k * (1 - np.exp(-k * (at - 1))) + (at > 2) * 5 * np.exp(-k * (at - 2))
    assert told["columns"]["A"]["values"] == pytest.approx(exact, rel=1e-5)
    assert told["columns"]["A"]["unit"] == "mg" and told["time_unit"] == "day"
    parts = served.post("/api/models/check", {"equations": POOL, "parameters": NUMBERS}).json
    assert parts["states"] == {"A": "mg"} and set(parts["inputs"]) == {"feed"}
    named = served.post("/api/simulate", {"model": "topp2000", "until": 30, "points": 3, "outputs": ["glucose"]}).json
    model = betapod.load_model("topp2000")
    assert (
        named["columns"]["glucose"]["values"]
        == betapod.simulate(model, [0, 15, 30], outputs=["glucose"]).table["glucose"].tolist()
    )


@pytest.mark.parametrize(
    ("path", "asked", "kinds", "where"),
    [
        ("models/check", {"equations": POOL.replace("k*A", "kk*A"), "parameters": NUMBERS}, {"unknown-name"}, ("model.txt", 2, 16)),
        ("models/check", {"equations": POOL, "parameters": NUMBERS.replace("1/day", "1/dya")}, {"unknown-unit"}, ("model.csv", 3, 0)),
        ("models/check", {"equations": " \n"}, {"no-model"}, ("model.txt", 0, 0)),
        ("models/check", {"equation": POOL}, {"missing-key", "unknown-key"}, ("body/equations", 0, 0)),
        ("simulate", {"model": "kidny", "until": 1}, {"unknown-model"}, ("", 0, 0)),
        ("simulate", {"model": "kidney", "equations": POOL, "until": 1}, {"bad-value"}, ("body", 0, 0)),
        ("simulate", {"model": "kidney", "until": -1}, {"out-of-range"}, ("body/until", 0, 0)),
        ("simulate", {"model": "kidney", "until": 1, "outputs": ["GRF"]}, {"unknown-name"}, ("", 0, 0)),
        ("simulate", {"model": "kidney", "until": 1, "points": "9"}, {"wrong-type"}, ("body/points", 0, 0)),
        ("patient", {"labs": {"egfr": "52 mg", "nonsense": 3}, "history": ["smokr"]}, {"wrong-unit", "unknown-quantity", "unknown-history"}, None),
        ("patient", {"labs": {"egfr": True}}, {"wrong-type"}, ("body/labs/egfr", 0, 0)),
        ("trials/check", {"text": SMALL.replace("HbA1c, summary", "HbA1x, summary")}, {"unknown-quantity"}, ("protocol.yaml", 15, 23)),
        ("trials/check", {"text": SMALL.replace("{size: 60}", "{size: 60, cohort: /etc/passwd}")}, {"unknown-cohort"}, ("protocol.yaml", 3, 32)),
        ("trials", {"protocol": "dn16"}, {"unknown-protocol"}, ("", 0, 0)),
        ("trials", {"protocol": "../dn61"}, {"unknown-protocol"}, ("", 0, 0)),
        ("trials", {"text": SMALL, "scenarios": ["nothing"], "designs": ["none"]}, {"unknown-design", "unknown-scenario"}, None),
        ("trials", {}, {"bad-value"}, ("body", 0, 0)),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(
    served: Served, path: str, asked: Any, kinds: set[str] | None, where: tuple[str, int, int] | None
) -> None:
    answer = served.post(f"/api/{path}", asked)
    assert answer.status == 422, answer.body
    problems = answer.problems
    assert kinds is None or {problem["kind"] for problem in problems} == kinds, problems
    places = {(problem["file"], problem["line"], problem["column"]) for problem in problems}
    assert where is None or where in places, problems
    assert "/tmp" not in answer.body.decode() and "Traceback" not in answer.body.decode()


def test_wrong_requests_begin_no_trial(served: Served) -> None:
    before = served.get("/api/trials").json
    for asked in ({"text": "name: x"}, {"text": SMALL, "replicates": 0}, {"protocol": "dn61", "seed": -1}):
        assert served.post("/api/trials", asked).status == 422
    assert served.get("/api/trials").json == before


@pytest.mark.parametrize(
    ("method", "path", "raw", "status", "kind"),
    [
        ("POST", "/api/simulate", b'{"model": "kidney"', 422, "bad-json"),
        ("POST", "/api/simulate", b"\xff\xfe", 422, "bad-json"),
        ("POST", "/api/simulate", b'{"model": "\xff"}', 422, "bad-json"),
        ("POST", "/api/simulate", b"[1]", 422, "wrong-type"),
        ("POST", "/api/simulate", b'{"model": "kidney", "until": NaN}', 422, "out-of-range"),
        ("GET", "/api/nothing", b"", 404, "unknown-address"),
        ("GET", "/api/trials/none", b"", 404, "unknown-trial"),
        ("GET", "/api/trials/none/events", b"", 404, "unknown-trial"),
        ("GET", "/api/trials/..%2f..", b"", 404, "unknown-address"),
        ("POST", "/api/trials/none/cancel", b"", 404, "unknown-trial"),
        ("DELETE", "/api/trials", b"", 405, "wrong-method"),
        ("GET", "/api/evidence/pool", b"", 422, "no-question"),
        ("GET", "/api/evidence/pool?endpont=HbA1c", b"", 422, "unknown-key"),
        ("GET", "/api/evidence/records?endpoint=HbA1x", b"", 422, "unknown-endpoint"),
        ("GET", "/api/evidence/terms/colour", b"", 422, "unknown-column"),
    ],
)
def test_what_cannot_be_is_a_problem_document(
    served: Served, method: str, path: str, raw: bytes, status: int, kind: str
) -> None:
    answer = served.ask(method, path, headers={"Content-Type": "application/json"} if raw else {}, raw=raw)
    assert (answer.status, answer.problems[0]["kind"]) == (status, kind), answer.body
    assert status != 405 or answer.headers["allow"] == "GET, POST"


def test_two_at_once_are_answered_as_one_after_the_other(served: Served) -> None:
    asked = [
        {"model": "kidney", "until": 3652.5, "points": 11, "values": {"G": f"{g} mmol/L"}, "outputs": ["GFR"]}
        for g in (5, 9)
    ]
    alone = [served.post("/api/simulate", content).json for content in asked]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda content: served.post("/api/simulate", content).json, asked * 2))
    assert together == alone * 2
    assert alone[0] != alone[1]


def test_what_takes_too_long_is_given_up_and_the_next_is_answered() -> None:
    from betapod.server.calculators import Calculators
    from betapod.server.problem_answers import Refusal

    calculators = Calculators(1)
    try:
        with pytest.raises(Refusal) as caught:
            calculators.answer("list_model_names", {}, limit=0.01)
        assert (caught.value.status, caught.value.problems[0]["kind"]) == (422, "took-too-long")
        assert calculators.answer("list_terms", {"column": "product"})["column"] == "product"
    finally:
        calculators.close()

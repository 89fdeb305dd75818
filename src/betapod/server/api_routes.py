"""What can be asked of the server: protocols and trials, evidence, one patient, models; each answer is JSON, a stream of events or a folder."""

from __future__ import annotations

import asyncio
import json
import tempfile
import zipfile
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import FileResponse, StreamingResponse
from starlette.background import BackgroundTask

from .calculators import Calculators
from .problem_answers import PROBLEM_SCHEMA, PROBLEM_TYPE
from .request_bodies import ModelBody, PatientBody, PoolQuery, RecordsQuery, SimulationBody, TrialBody
from .request_guard import PREFIX
from .trial_runs import COMPLETE, ENDED, TrialRuns

#: Seconds that one patient may take: closer people live their lives anew.
_PATIENT = 300.0
#: Seconds between two looks at a trial, and after which a stream says that it is still there.
_LOOK, _STILL_THERE = 0.1, 15.0

Name = Annotated[str, Path(max_length=80)]


def _refusals(*codes: int) -> dict[int | str, dict[str, Any]]:
    """Return what the description of the interface says of answers that refuse."""
    words = {
        401: "the token is not right",
        403: "not for this server",
        404: "there is no such thing",
        409: "not as the trial is now",
        413: "too large",
        415: "no JSON",
        422: "everything that is wrong with what was asked",
        429: "too many requests at once",
    }
    content = {PROBLEM_TYPE: {"schema": PROBLEM_SCHEMA}}
    return {code: {"description": words[code], "content": content} for code in (401, 403, 422, 429, *codes)}


def api_routes(calculators: Calculators, runs: TrialRuns) -> APIRouter:
    """Return the routes.

    Parameters
    ----------
    calculators
        Answer what is calculated.
    runs
        The trials.
    """
    router = APIRouter(prefix=PREFIX)

    def add(way: str, path: str, function: Any, summary: str, *codes: int, **more: Any) -> None:
        more = {"responses": _refusals(*codes), "summary": summary, **more}
        router.add_api_route(path, function, methods=[way], operation_id=function.__name__, **more)

    _add_reads(add, calculators)
    _add_questions(add, calculators)
    _add_trials(add, calculators, runs)
    return router


def _add_reads(add: Any, calculators: Calculators) -> None:
    def about() -> dict[str, Any]:
        from .. import __version__

        return {"program": "betapod", "version": __version__, "interface": f"{PREFIX}/openapi.json"}

    def protocols() -> dict[str, Any]:
        return calculators.answer("list_trial_protocols", {})

    def protocol(name: Name) -> dict[str, Any]:
        return calculators.answer("show_trial_protocol", {"protocol": name})

    def models() -> dict[str, Any]:
        return calculators.answer("list_model_names", {})

    def records(asked: Annotated[RecordsQuery, Query()]) -> dict[str, Any]:
        return calculators.answer("list_records", asked.model_dump())

    def terms(column: Name) -> dict[str, Any]:
        return calculators.answer("list_terms", {"column": column})

    def pooled(asked: Annotated[PoolQuery, Query()]) -> dict[str, Any]:
        return calculators.answer("pool_records", asked.model_dump())

    tagged = {304: {"description": "as the tag in If-None-Match has it"}, **_refusals()}
    add("GET", "", about, "What answers here")
    add("GET", "/protocols", protocols, "Protocols that can be named", responses=tagged)
    add("GET", "/protocols/{name}", protocol, "A protocol and its text", responses=tagged)
    add("GET", "/models", models, "Models that can be named", responses=tagged)
    add("GET", "/evidence/records", records, "Published numbers", responses=tagged)
    add("GET", "/evidence/terms/{column}", terms, "Words of a column of the evidence", responses=tagged)
    add("GET", "/evidence/pool", pooled, "One question, pooled, with its certainty", responses=tagged)


def _add_questions(add: Any, calculators: Calculators) -> None:
    def patient(asked: PatientBody) -> dict[str, Any]:
        return calculators.answer("answer_patient", asked.model_dump(), _PATIENT)

    def check(asked: ModelBody) -> dict[str, Any]:
        return calculators.answer("check_model", asked.model_dump())

    def simulate_course(asked: SimulationBody) -> dict[str, Any]:
        return calculators.answer("simulate_model", asked.model_dump())

    add("POST", "/patient", patient, "Options for one person, in people who are like them", 413, 415)
    add("POST", "/models/check", check, "A model of one's own, checked on every line", 413, 415)
    add("POST", "/simulate", simulate_course, "One patient under a model", 413, 415)


def _add_trials(add: Any, calculators: Calculators, runs: TrialRuns) -> None:
    def check_protocol(asked: TrialBody) -> dict[str, Any]:
        return calculators.answer("check_trial", asked.model_dump())

    def start_trial(asked: TrialBody, response: Response) -> dict[str, Any]:
        content = asked.model_dump(exclude_none=True)
        name = runs.start(content, calculators.answer("plan_trial", content))
        status = runs.status(name)
        response.status_code = 200 if status["state"] == COMPLETE else 202
        response.headers["Location"] = f"{PREFIX}/trials/{name}"
        return status

    def trials() -> dict[str, Any]:
        return {"trials": runs.all_statuses()}

    def trial(name: Name) -> dict[str, Any]:
        return runs.status(name)

    def cancel_trial(name: Name) -> dict[str, Any]:
        runs.cancel(name)
        return runs.status(name)

    def resume_trial(name: Name) -> dict[str, Any]:
        runs.resume(name)
        return runs.status(name)

    def summary(name: Name) -> dict[str, Any]:
        return runs.summary(name)

    def folder(name: Name) -> FileResponse:
        return _packed(runs, name)

    async def events(name: Name) -> StreamingResponse:
        await asyncio.to_thread(runs.status, name)
        return StreamingResponse(_events(runs, name), media_type="text/event-stream")

    add(
        "POST",
        "/trials/check",
        check_protocol,
        "A protocol checked: errors, who can take part, what a run costs",
        413,
        415,
    )
    started = {202: {"description": "it waits or runs"}, **_refusals(413, 415)}
    add("POST", "/trials", start_trial, "Run a trial", responses=started)
    add("GET", "/trials", trials, "All trials, the newest first")
    add("GET", "/trials/{name}", trial, "State of a trial", 404)
    add("GET", "/trials/{name}/summary", summary, "Results of a complete trial", 404, 409)
    streamed = {
        200: {"description": "states as they come", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
    }
    add(
        "GET",
        "/trials/{name}/events",
        events,
        "States of a trial until it ends",
        responses=streamed | _refusals(404),
        response_class=StreamingResponse,
    )
    packed = {
        200: {
            "description": "the run folder",
            "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
        }
    }
    add(
        "GET",
        "/trials/{name}/folder",
        folder,
        "Run folder of a trial, packed",
        responses=packed | _refusals(404, 409),
        response_class=FileResponse,
    )
    add("POST", "/trials/{name}/cancel", cancel_trial, "Stop a trial; what was computed is kept", 404, 409)
    add("POST", "/trials/{name}/resume", resume_trial, "Go on with a trial that stopped", 404)


def _packed(runs: TrialRuns, name: str) -> FileResponse:
    files = list(runs.files(name))
    handle = tempfile.NamedTemporaryFile(prefix="betapod-", suffix=".zip", delete=False)  # noqa: SIM115
    with handle, zipfile.ZipFile(handle, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, inside in files:
            archive.write(path, f"{name}/{inside}")
    import pathlib

    done = BackgroundTask(pathlib.Path(handle.name).unlink)
    return FileResponse(handle.name, media_type="application/zip", filename=f"{name}.zip", background=done)


async def _events(runs: TrialRuns, name: str) -> AsyncIterator[str]:
    """Give the state of a trial whenever it changes, until it ends."""
    before, silent = "", 0.0
    while True:
        status = await asyncio.to_thread(runs.status, name)
        text = json.dumps({key: value for key, value in status.items() if key != "asked"})
        if text != before:
            yield f"event: {status['state']}\ndata: {text}\n\n"
            before, silent = text, 0.0
        if status["state"] in ENDED:
            return
        if silent >= _STILL_THERE:
            yield ": still there\n\n"
            silent = 0.0
        await asyncio.sleep(_LOOK)
        silent += _LOOK

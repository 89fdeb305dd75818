"""Run folders that somebody edited, or that are another program's: every verb names the file and the field, or computes again."""

import copy
import json
import os
import shutil

import pytest
import small_trials as trials
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from betapod.base.errors import BetapodError, ConfigError
from betapod.cli.main import _register, app
from betapod.trials import run_folder
from betapod.trials.conduct import drawn_design

MODEL = "dx/dt = -k * x  [1/day]  falls\nx(0) = start  [1]  start value\n"
TABLE = """id,label,value,unit,low,high,distribution,role,source,locator,grade,note
k,k,0.1,1/day,,,"lognormal(0.1, 0.3)",assumed,,,D,
start,start,1,1,,,fixed,assumed,,,D,
"""
NASTY = [
    None, True, -1, 0, 1.5, 1e308, 10**30, "", "x", "\ud800", [], [None], ["x"], {}, {"x": 1}, "a" * 2000, [[[[]]]], "../..", "NaN",
]  # fmt: skip


def betapod(*arguments):
    """Run a command in this process."""
    _register([])
    return CliRunner().invoke(app, [str(each) for each in arguments])


def only_problems(result):
    """An expected end: done, a problem, or an exit code; anything else is our fault."""
    error = result.exception
    assert error is None or isinstance(error, (BetapodError, SystemExit)), repr(error)
    return error


@pytest.fixture(scope="module")
def ensemble(tmp_path_factory):
    place = tmp_path_factory.mktemp("ensemble")
    (place / "small.txt").write_text(MODEL)
    (place / "small.csv").write_text(TABLE)
    made = betapod(
        "ensemble", "run", place / "small.txt", "-n", "6", "--years", "0.02", "--visits", "3 day", "--shard-size", "3",
        "-o", place / "run", "--quiet",
    )  # fmt: skip
    assert made.exit_code == 0, made.output
    return place / "run"


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_folder, "pool_of", lambda protocol, *_, **__: trials.pool(protocol, people=60))
        patch.setattr(drawn_design, "SHARD", 2)
        place = tmp_path_factory.mktemp("trial")
        (place / "small.yaml").write_text(trials.TEXT.replace("replicates: 60", "replicates: 3"))
        run_folder.run_into(place / "run", run_folder.trial_plan(place / "small.yaml"))
        yield place / "run"


def copied(source, tmp_path):
    target = tmp_path / "copy"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
    return target


FOREIGN = [
    "", "{", "[]", "null", "1", '"x"', "NaN", '{"schema_version": 2}', '{"schema_version": 1}', '{"schema_version": 3}', '{"schema_version": true}',
    '{"schema_version": 2, "identity": null}', '{"schema_version": 2, "identity": {}}', '{"schema_version": 2, "identity": []}',
    '{"schema_version": 2, "identity": {"patients": 1e99, "shard_size": 1}}',
    '{"schema_version": 2, "identity": {"patients": 1000000000000, "shard_size": 1}}',
    '{"schema_version": 2, "identity": {"patients": 10, "shard_size": 0}}',
    '{"schema_version": 2, "identity": {"patients": 10, "shard_size": 5}}',
    '{"schema_version": 2, "identity": {"patients": 10, "shard_size": 5, "kind": "trial"}}',
    '{"schema_version": 2, "identity": {"patients": NaN, "shard_size": 5}}',
    '{"a": ' * 100_000,
    "[" * 100_000,
]  # fmt: skip


@pytest.mark.parametrize(
    "verb", [("ensemble", "summary"), ("ensemble", "resume"), ("resume",), ("report",), ("merge",)]
)
@pytest.mark.parametrize("content", FOREIGN, ids=range(len(FOREIGN)))
def test_a_foreign_manifest_is_named(tmp_path, verb, content):
    (tmp_path / "manifest.json").write_text(content)
    error = only_problems(betapod(*verb, tmp_path))
    assert isinstance(error, ConfigError)
    assert str(tmp_path) in str(error.problems[0].location)


@pytest.mark.parametrize("gone", ["receipts", "visits", "patients"])
def test_folders_that_were_tidied_away_are_made_again(tmp_path, ensemble, gone):
    run = copied(ensemble, tmp_path)
    shutil.rmtree(run / gone)
    done = betapod("ensemble", "resume", run, "--quiet")
    assert done.exit_code == 0, done.output
    assert len([*(run / gone).iterdir()]) == 2


def paths_of(content, before=()):
    """Return the place of every value of a JSON document."""
    found = [before] if before else []
    if isinstance(content, dict):
        found += [place for key, value in content.items() for place in paths_of(value, (*before, key))]
    if isinstance(content, list):
        found += [place for i, value in enumerate(content[:2]) for place in paths_of(value, (*before, i))]
    return found


def changed(content, place, value):
    """Return a document with one value replaced, or taken out for `...`."""
    made = copy.deepcopy(content)
    inner = made
    for key in place[:-1]:
        inner = inner[key]
    if value is ...:
        del inner[place[-1]]
    else:
        inner[place[-1]] = value
    return made


def edited(draw, run, files):
    path = run / draw(st.sampled_from(files))
    content = json.loads(path.read_text())
    place = draw(st.sampled_from(paths_of(content)))
    return path, changed(content, place, draw(st.sampled_from([..., *NASTY])))


RELAXED = settings(
    max_examples=int(os.environ.get("BETAPOD_EXAMPLES", "12")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@RELAXED
@given(data=st.data())
def test_an_edited_ensemble_is_refused_or_computed_again(ensemble, tmp_path, data):
    run = copied(ensemble, tmp_path)
    path, content = edited(data.draw, run, ["manifest.json", "receipts/00000.json", "summary.json"])
    path.write_text(json.dumps(content))
    for verb in (("ensemble", "summary"), ("ensemble", "summary", "--quantiles"), ("merge",), ("ensemble", "resume")):
        only_problems(betapod(*verb, run))


@RELAXED
@given(data=st.data())
def test_an_edited_trial_is_refused_or_computed_again(trial, tmp_path, data):
    run = copied(trial, tmp_path)
    path, content = edited(data.draw, run, ["manifest.json", "receipts/00000.json", "summary.json"])
    path.write_text(json.dumps(content))
    for act in (run_folder.open_trial_run, run_folder.resume):
        try:
            act(run)
        except BetapodError as error:
            assert error.problems


def test_the_field_is_named(ensemble, tmp_path):
    run = copied(ensemble, tmp_path)
    content = json.loads((run / "manifest.json").read_text())
    content["identity"]["patients"], content["identity"]["times"] = "6", []
    del content["columns"]
    (run / "manifest.json").write_text(json.dumps(content))
    with pytest.raises(ConfigError) as caught:
        run_folder.Store.open(run)
    assert "identity.patients" in str(caught.value)
    content["identity"]["patients"] = 6
    (run / "manifest.json").write_text(json.dumps(content))
    problems = betapod("ensemble", "summary", run).exception.problems
    assert [p.message.partition(":")[0].partition(" ")[0] for p in problems] == ["identity.times", "columns"]
    assert all(p.location.file == str(run / "manifest.json") for p in problems)


def test_a_flipped_bit_of_a_table_is_no_result(trial, tmp_path):
    run = copied(trial, tmp_path)
    part = run / "visits" / "part-00000.parquet"
    data = bytearray(part.read_bytes())
    data[len(data) // 3] ^= 8
    part.write_bytes(bytes(data))
    with pytest.raises(ConfigError, match="incomplete-run"):
        run_folder.open_trial_run(run)
    before = run_folder.open_trial_run(trial)
    assert list(before) == list(run_folder.resume(run))
    assert part.read_bytes() == (trial / "visits" / "part-00000.parquet").read_bytes()


def test_a_summary_without_outputs_is_refused(ensemble, tmp_path):
    run = copied(ensemble, tmp_path)
    path = run / "summary.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "outputs": {}}))
    result = betapod("ensemble", "summary", run)
    only_problems(result)
    assert isinstance(result.exception, BetapodError) and result.exception.kinds == ("bad-manifest",)

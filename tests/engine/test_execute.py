"""Shards: the same result whatever computes them, in whatever pieces and order."""

import json
import random
import signal
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import small_runs as small

from betapod.base.errors import ConfigError
from betapod.engine.runs.execute import chosen, execute
from betapod.engine.runs.interrupts import deferred_interrupts
from betapod.engine.runs.run_plan import ListedPatients, RunPlan
from betapod.engine.runs.store import Store
from betapod.engine.runs.summary import finish, merge


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    outcome = execute(small.plan(), folder, count=1)
    assert outcome.complete and outcome.computed == 60
    return folder


def values(folder):
    store = Store.open(folder)
    return np.concatenate([store.values(shard) for shard in range(store.shards)])


def test_values_are_those_of_one_call_of_the_engine(undisturbed):
    from betapod.engine.ensemble import Ensemble

    plan = small.plan()
    whole = Ensemble(plan.model, outputs=plan.names, rtol=plan.rtol, atol=plan.atol).run(
        dict(plan.cohort.values(range(60))), plan.times
    )
    assert np.array_equal(values(undisturbed), whole.values, equal_nan=True)
    assert np.isnan(values(undisturbed)).any(), "some patients of this model must fail"


@pytest.mark.parametrize("count", [2, 7])
def test_threads_do_not_matter(undisturbed, tmp_path, count):
    execute(small.plan(), tmp_path / "run", count=count)
    assert small.tables(tmp_path / "run") == small.tables(undisturbed)


def test_one_shard_on_many_threads(undisturbed, tmp_path):
    execute(small.plan(shard_size=10_000), tmp_path / "run", count=7)
    assert np.array_equal(values(tmp_path / "run"), values(undisturbed), equal_nan=True)


@pytest.mark.parametrize("size", [1, 7, 59, 60, 10_000])
def test_shard_size_does_not_matter(undisturbed, tmp_path, size):
    execute(small.plan(shard_size=size), tmp_path / "run")
    assert np.array_equal(values(tmp_path / "run"), values(undisturbed), equal_nan=True)
    query = "SELECT * FROM {} ORDER BY patient"
    for table in ("patients", "failures"):
        ours, theirs = (
            Store.open(f).connect().execute(query.format(table)).fetchall() for f in (tmp_path / "run", undisturbed)
        )
        assert repr(ours) == repr(theirs), table


def test_order_does_not_matter(undisturbed, tmp_path):
    order = random.Random(3)
    execute(small.plan(), tmp_path / "run", order=lambda shards: order.sample(shards, len(shards)))
    assert small.tables(tmp_path / "run") == small.tables(undisturbed)


@pytest.fixture
def heeded():
    """Whoever runs the tests in the background may have made them deaf to an interrupt."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Interrupting(ThreadPoolExecutor):
    """An executor in whose submission of the third shard an interrupt comes, as it may at any instruction."""

    submitted, went_on = 0, False

    def submit(self, *arguments, **named):
        self.submitted += 1
        future = super().submit(*arguments, **named)
        if self.submitted == 3:
            signal.raise_signal(signal.SIGINT)
            self.went_on = True
        return future


@pytest.mark.usefixtures("heeded")
def test_an_interrupt_waits_until_no_lock_is_being_taken(undisturbed, tmp_path):
    with Interrupting(2) as pool:
        with pytest.raises(KeyboardInterrupt):
            execute(small.plan(shard_size=4), tmp_path / "run", executor=pool, count=2, shared_folder=True)
        assert pool.went_on and 3 <= pool.submitted < 15
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    execute(small.plan(shard_size=4), tmp_path / "run")
    assert np.array_equal(values(tmp_path / "run"), values(undisturbed), equal_nan=True)


@pytest.mark.usefixtures("heeded")
def test_an_interrupt_with_the_last_shard_is_not_lost(tmp_path):
    def interrupt(now):
        if now.done == now.total:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        execute(small.plan(), tmp_path / "run", progress=interrupt)
    assert execute(small.plan(), tmp_path / "run").computed == 0, "everything was kept"


@pytest.mark.usefixtures("heeded")
def test_a_second_interrupt_does_not_wait():
    heard = []
    with pytest.raises(KeyboardInterrupt), deferred_interrupts(lambda: heard.append(1)):
        signal.raise_signal(signal.SIGINT)
        heard.append(2)
        signal.raise_signal(signal.SIGINT)
    assert heard == [1, 2]


def test_processes(undisturbed, tmp_path):
    execute(small.plan(), tmp_path / "run", workers="processes", count=2)
    assert small.tables(tmp_path / "run") == small.tables(undisturbed)


def test_parts_travel_back_where_the_folder_cannot_be_reached(undisturbed, tmp_path):
    with ThreadPoolExecutor(2) as pool:
        execute(small.plan(), tmp_path / "run", executor=pool, shared_folder=False)
    assert small.tables(tmp_path / "run") == small.tables(undisturbed)


def test_parts_of_a_run_in_folders_of_their_own_merge_to_the_whole(undisturbed, tmp_path):
    folders = [tmp_path / str(i) for i in (1, 2, 3)]
    for i, folder in enumerate(folders, 1):
        outcome = execute(small.plan(), folder, part=(i, 3))
        assert not outcome.complete
    with pytest.raises(ConfigError, match=r"2 of 6 shards are not there: 2, 5"):
        merge(folders[:2], tmp_path / "whole")
    store = merge(folders, tmp_path / "whole")
    summary = finish(store, small.plan())
    assert small.tables(tmp_path / "whole") == small.tables(undisturbed)
    assert summary["digest"] == finish(Store.open(undisturbed), small.plan())["digest"]


def test_parts_of_a_run_may_share_a_folder(undisturbed, tmp_path):
    for i in (2, 1):
        execute(small.plan(), tmp_path / "run", part=(i, 2))
    merge([tmp_path / "run"])
    assert small.tables(tmp_path / "run") == small.tables(undisturbed)


def test_merging_other_runs_is_refused(undisturbed, tmp_path):
    execute(small.plan(seed=2), tmp_path / "other")
    with pytest.raises(ConfigError, match=r"cohort.seed is not what the run began with"):
        merge([undisturbed, tmp_path / "other"], tmp_path / "whole")


@pytest.mark.parametrize("part", [(0, 3), (4, 3), (1, 0), (-1, 2)])
def test_parts_are_counted_from_one(part):
    with pytest.raises(ConfigError, match="no such part"):
        chosen(10, part)
    assert sorted(s for i in (1, 2, 3) for s in chosen(10, (i, 3))) == list(range(10))


def test_a_second_call_computes_nothing(undisturbed):
    before = {p: p.stat().st_mtime_ns for p in undisturbed.glob("*/part-*")}
    assert execute(small.plan(), undisturbed).computed == 0
    assert {p: p.stat().st_mtime_ns for p in undisturbed.glob("*/part-*")} == before


def test_changed_inputs_are_refused_by_name(undisturbed):
    changed = small.model().with_values({"loss": 0.06, "rate": 1.4})
    with pytest.raises(ConfigError) as caught:
        execute(small.plan(model=changed, seed=4, rtol=1e-5), undisturbed)
    text = str(caught.value)
    assert {"changed-input"} == set(caught.value.kinds)
    for line in ("values.loss", "values.rate", "cohort.seed", "rtol"):
        assert line in text
    assert "found    0.06" in text and "expected 0.05" in text and "new folder" in text


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.docx").write_text("chapter 1")
    with pytest.raises(ConfigError, match="not a run folder"):
        execute(small.plan(), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.docx"]


def test_failures_are_explained(undisturbed):
    store = Store.open(undisturbed)
    summary = finish(store, small.plan())
    assert summary["failed"] > 0 and sum(summary["status"].values()) == 60
    rows = (
        store.connect()
        .execute(f"SELECT patient, reason, time FROM '{undisturbed}/failures.parquet' ORDER BY patient")
        .fetchall()
    )
    assert len(rows) == summary["failed"]
    drawn = small.plan().cohort.values(range(60))
    for patient, reason, _ in rows:
        assert reason in summary["status"]
        assert drawn["a"][patient] * drawn["start"][patient] > drawn["loss"][patient], (
            "only these can grow without bound"
        )


def test_summary_agrees_with_the_tables(undisturbed):
    summary = finish(Store.open(undisturbed), small.plan())
    data = values(undisturbed)
    for index, name in enumerate(small.plan().names):
        column = data[:, :, index]
        for visit, row in enumerate(summary["outputs"][name]["visits"]):
            finite = column[:, visit][np.isfinite(column[:, visit])]
            assert row["count"] == len(finite)
            assert row["mean"] == pytest.approx(finite.mean(), rel=1e-12)
            assert row["sd"] == pytest.approx(finite.std(ddof=1), rel=1e-9)
            assert (row["low"], row["high"]) == (finite.min(), finite.max())
    assert summary["accuracy"]["reproduced"] is True
    assert json.loads((undisturbed / "summary.json").read_text()) == json.loads(json.dumps(summary))


def test_columns_that_differ_by_case_alone_are_kept_apart(undisturbed):
    store = Store.open(undisturbed)
    assert store.manifest["columns"]["visits"] == {"x": "x", "y": "y", "g": "g", "G": "G_2"}
    row = store.connect().execute("SELECT x, y, g, G_2 FROM visits WHERE patient = 0 AND time = 3").fetchone()
    assert row[2] == pytest.approx(row[0] + row[1]) and row[3] == pytest.approx(row[0] - row[1])
    assert "visits,G_2,G,1,difference" in (undisturbed / "dictionary.csv").read_text()


def test_listed_patients(tmp_path):
    columns = {"loss": np.linspace(0.1, 0.2, 25), "a": np.zeros(25)}
    plan = RunPlan(small.model(), 25, (0.0, 10.0), ("x",), cohort=ListedPatients(columns), shard_size=4)
    execute(plan, tmp_path / "run")
    assert np.allclose(values(tmp_path / "run")[:, 1, 0], np.exp(-10 * columns["loss"]), rtol=1e-4)
    columns["loss"][3] = 0.3
    with pytest.raises(ConfigError, match=r"cohort.listed.loss"):
        execute(
            RunPlan(small.model(), 25, (0.0, 10.0), ("x",), cohort=ListedPatients(columns), shard_size=4),
            tmp_path / "run",
        )


def test_everything_wrong_with_a_plan_is_said_at_once():
    with pytest.raises(ConfigError) as caught:
        small.plan(patients=0, shard_size=0, outputs=("x", "z", "x"), rtol=2.0)
    assert set(caught.value.kinds) == {"bad-number", "bad-tolerance", "unknown-output", "two-outputs"}
    with pytest.raises(ConfigError, match="bad-times"):
        RunPlan(small.model(), 1, (0.0, 2.0, 1.0))
    with pytest.raises(ConfigError) as caught:
        RunPlan(
            small.model(),
            3,
            (0.0,),
            cohort=ListedPatients({"lose": np.zeros(3), "loss": np.zeros(2), "a": np.full(3, np.nan)}),
        )
    assert caught.value.kinds == ("unknown-parameter", "bad-column", "bad-column")


def test_progress_counts_every_patient(tmp_path):
    seen = []
    execute(small.plan(), tmp_path / "run", progress=seen.append)
    assert [p.done for p in seen] == [0, 10, 20, 30, 40, 50, 60] and seen[-1].total == 60

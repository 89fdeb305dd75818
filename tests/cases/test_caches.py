"""What is kept is found by everything that shaped it, and never trusted blindly: caches, pools, the installed package."""

import ast
import hashlib
import json
import logging
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import small_trials as trials

import betapod
from betapod.base import cache, npz
from betapod.patients import library
from betapod.trials import run_folder
from betapod.trials.conduct import pool_build
from betapod.trials.conduct.patient_pool import Pool
from betapod.trials.protocol import protocol_files
from betapod.validation.predictions import campaign

PACKAGE = Path(betapod.__file__).parent
ENTRIES = [
    "betapod.trials.conduct.pool_build",
    "betapod.validation.predictions.campaign",
    "betapod.claims.claim_simulation",
    "betapod.engine.compiled.kernel",
]


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("BETAPOD_CACHE", str(tmp_path / "cache"))
    cache._trusted.cache_clear()
    return tmp_path / "cache"


# -- the program ------------------------------------------------------------------------------------------------------


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """A copy of the package's files that may be edited; the keys are made of it."""
    target = tmp_path / "betapod"
    shutil.copytree(PACKAGE, target, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(cache, "_PACKAGE", target)
    yield target
    cache.program.cache_clear()


def fresh(module):
    cache.program.cache_clear()
    return cache.program(module)


def imported(path):
    """The package's files that a file imports, by Python's own grammar."""
    package = ["betapod", *path.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            targets = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = [*base, *(node.module.split(".") if node.module else [])]
            targets = [[*stem, alias.name] for alias in node.names]
        else:
            continue
        for target in targets:
            if target[0] == "betapod":
                yield from filter(None, (cache._file(target[1:]), cache._file(target[1:-1])))


@pytest.mark.parametrize("entry", ENTRIES)
def test_every_file_that_is_imported_is_in_the_closure(entry):
    files = set(cache.closure(entry))
    lacking = {
        (path, other) for path in files if path.name != "__init__.py" for other in imported(path) if other not in files
    }
    assert not lacking


def test_modules_that_are_found_by_name_are_in_the_closure():
    files = {path.name for path in cache.closure("betapod.trials.conduct.pool_build")}
    # Equations are imported by name; the first finding: none of these was hashed.
    assert {
        "glomerulus.py",
        "beta_cell.py",
        "observe.py",
        "entropy_balancing.py",
        "quantities.py",
        "units.py",
        "config.py",
    } <= files


@pytest.mark.parametrize("entry", ENTRIES[:1])
def test_one_byte_of_any_file_of_the_closure_makes_another_key(copied, entry):
    before, files = fresh(entry), cache.closure(entry)
    keys = {before}
    chosen = [*files, *cache.data_files(files)]
    assert len(chosen) > 100
    for path in chosen:
        content = path.read_bytes()
        facts = path.stat()
        path.write_bytes(bytes([content[0] ^ 1, *content[1:]]) if content else b"#")
        # The content alone decides which file is which; the same second and length do not hide a change.
        os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns + 1))
        digest = cache.content_digest(path)
        assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
        path.write_bytes(content)
        os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
        keys.add(digest)
    assert len(keys) == len(chosen) + 1
    for name in (
        "base/units.py",
        "patients/observe.py",
        "observables/variation.csv",
        "patients/profiles/library.npz",
        "trials/conduct/patient_pool.py",
    ):
        content = (copied / name).read_bytes()
        (copied / name).write_bytes(content + b"\n")
        assert fresh(entry) != before, name
        (copied / name).write_bytes(content)
        assert fresh(entry) == before, name


def test_files_that_shape_nothing_do_not_matter(copied):
    before = fresh("betapod.trials.conduct.pool_build")
    (copied / "cli" / "verbs" / "simulate.py").write_text("# changed\n")
    (copied / "report" / "trial" / "brief.py").write_text("# changed\n")
    assert fresh("betapod.trials.conduct.pool_build") == before


def test_another_version_is_another_program(monkeypatch):
    before = fresh(ENTRIES[0])
    monkeypatch.setattr(cache, "version_of", lambda name: "0")
    assert fresh(ENTRIES[0]) != before
    cache.program.cache_clear()


def test_a_key_costs_little():
    """Processor time, of a process that has hashed nothing yet; ten times what it takes."""
    code = f"import time; from betapod.base import cache; t = time.process_time(); cache.program({ENTRIES[0]!r}); print(time.process_time() - t)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 1.0


# -- pools ------------------------------------------------------------------------------------------------------------

COHORT = "name: mine\nbaseline:\n  age: {mean: 60, sd: 8, unit: year}\n"


@pytest.fixture(scope="module")
def people():
    return library.default().take(range(200))


def with_cohort(path):
    trial = trials.protocol()
    return trial.model_copy(update={"population": trial.population.model_copy(update={"cohort": str(path)})})


def test_other_people_under_the_same_name_are_another_pool(tmp_path, people):
    path = tmp_path / "coh.yaml"
    path.write_text(COHORT)
    first = pool_build.identity(with_cohort(path), people)
    path.write_text(COHORT.replace("60", "45"))
    assert pool_build.identity(with_cohort(path), people) != first
    path.write_text(COHORT)
    assert pool_build.identity(with_cohort(path), people) == first
    (tmp_path / "elsewhere.yaml").write_text(COHORT)
    assert pool_build.identity(with_cohort(tmp_path / "elsewhere.yaml"), people) == first
    for name in ("a", "b"):
        (tmp_path / "folder").mkdir(exist_ok=True)
        (tmp_path / "folder" / f"{name}.xpt").write_text(name)
    both = pool_build.identity(with_cohort(tmp_path / "folder"), people)
    (tmp_path / "folder" / "b.xpt").write_text("c")
    assert pool_build.identity(with_cohort(tmp_path / "folder"), people) != both


def test_everything_of_the_library_makes_the_pool(people):
    trial = trials.protocol()
    first = pool_build.identity(trial, people)
    for column in people.table:
        table = people.table.copy()
        table.loc[3, column] = 7 if table.loc[3, column] != 7 else 8
        assert pool_build.identity(trial, replace(people, table=table)) != first, column
    states = people.states.copy()
    states[0, 0] += 1e-12
    assert pool_build.identity(trial, replace(people, states=states)) != first
    name = next(iter(people.parameters))
    changed = {**people.parameters, name: people.parameters[name] + 1e-9}
    assert pool_build.identity(trial, replace(people, parameters=changed)) != first
    assert pool_build.identity(trial, replace(people, state_names=people.state_names[::-1])) != first


def test_what_is_only_told_does_not(people):
    trial = trials.protocol()
    told = {"title": "another", "summary": "another", "replicates": 7, "patients": 12}
    assert pool_build.identity(trial.model_copy(update=told), people) == pool_build.identity(trial, people)


GIVEN = Path(__file__).parents[3] / "shared" / "findings" / "cases" / "breaker" / "stale_pool"


def test_the_given_case_a_cohort_that_is_edited_in_place(tmp_path, people, monkeypatch):
    if not GIVEN.exists():
        pytest.skip("the collection of broken files is not beside the repository")
    # What the protocol analyses does not matter here, and some of it is refused today.
    (tmp_path / "coh.yaml").write_text(
        (GIVEN / "coh.yaml").read_text().replace(", analysis: MMRM", "").replace("hypotheses:", "scenarios:")
    )
    found = []
    for name in ("coh_a.csv", "coh_b.csv"):
        shutil.copy(GIVEN / name, tmp_path / "coh.csv")
        found.append(pool_build.identity(protocol_files.find_protocol(tmp_path / "coh.yaml"), people))
    assert found[0] != found[1]


# -- damage -----------------------------------------------------------------------------------------------------------

DAMAGE = {
    "cut short": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
    "one bit": lambda content: content[:-50] + bytes([content[-50] ^ 4]) + content[-49:],
    "its head": lambda content: b"x" + content[1:],
    "no digest": lambda content: content.partition(b"\n")[2].partition(b"\n")[2],
    "a zip": lambda content: b"PK\x03\x04" + bytes(100),
    "more behind": lambda content: content + b"x",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_pool_is_made_again_with_a_note(place, people, monkeypatch, caplog, damage):
    trial = trials.protocol()
    made = trials.pool(trial, people=20)
    monkeypatch.setattr(pool_build, "_simulate", lambda *_: made)
    pool_build.pool_of(trial, people)
    (entry,) = (place / "pools").iterdir()
    right = entry.read_bytes()
    entry.write_bytes(DAMAGE[damage](right))
    with caplog.at_level(logging.WARNING, "betapod"):
        again = pool_build.pool_of(trial, people)
    assert str(entry) in caplog.text and "computed again" in caplog.text
    assert entry.read_bytes() == right and again.to_bytes() == made.to_bytes()
    monkeypatch.setattr(pool_build, "_simulate", None)
    assert pool_build.pool_of(trial, people).to_bytes() == made.to_bytes()


def test_a_pool_that_fits_its_digest_but_is_none_is_made_again(place, people, monkeypatch, caplog):
    trial = trials.protocol()
    made = trials.pool(trial, people=20)
    monkeypatch.setattr(pool_build, "_simulate", lambda *_: made)
    cache.write_entry(f"pools/{pool_build.identity(trial, people)}.npz", b"no pool")
    assert pool_build.pool_of(trial, people) is made and "damaged" in caplog.text


@pytest.mark.parametrize("content", [b"", b"x", b"PK\x05\x06" + bytes(18)])
def test_a_damaged_pool_of_a_run_folder_is_no_pool(tmp_path, content):
    with pytest.raises(ValueError):
        Pool.from_bytes(content)


def test_a_damaged_prediction_is_computed_again(place, caplog):
    campaign._write("confront/key.json", [], None)
    (place / "confront" / "key.json").write_bytes(b"{broken")
    assert campaign._read("confront/key.json", None) is None and "damaged" in caplog.text
    cache.write_entry("confront/key.json", b'[{"record": 1}]')
    assert campaign._read("confront/key.json", None) is None


# -- npz --------------------------------------------------------------------------------------------------------------


def saved(**arrays):
    import io

    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def test_arrays_come_back():
    given = {
        "a": np.arange(6.0).reshape(2, 3),
        "b": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "c": np.array([True]),
        "d": np.zeros((0, 3)),
    }
    found = npz.read_npz(saved(**given))
    assert list(found) == list(given)
    for name, values in given.items():
        assert np.array_equal(found[name], values) and found[name].dtype == values.dtype and found[name].flags.writeable


def test_pickles_bombs_and_lies_are_refused(tmp_path):
    class Harm:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "harmed",))

    for content in (
        saved(a=np.array([Harm()], dtype=object)),
        saved(a=np.zeros(2_000_000)),
        saved(a=np.zeros(10))[:-30],
        saved(a=np.array(["text"])),
        b"",
        b"\x93NUMPY",
    ):
        with pytest.raises(ValueError):
            npz.read_npz(content, largest=10_000_000)
    assert not (tmp_path / "harmed").exists()
    import io
    import zipfile

    for shape in ("(1000000000000,)", "(-1,)", "(2, 3", "[]"):
        header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode() + b"\n"
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("a.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(80))
        with pytest.raises(ValueError):
            npz.read_npz(buffer.getvalue())


# -- who may write ------------------------------------------------------------------------------------------------------


def test_the_cache_is_closed_to_others(place):
    assert cache.write_entry("a", b"1")
    assert place.stat().st_mode & 0o777 == 0o700
    place.chmod(0o777)
    cache._trusted.cache_clear()
    assert cache.read_entry("a") == b"1"
    assert place.stat().st_mode & 0o022 == 0


def test_a_cache_of_somebody_else_is_not_used(place, monkeypatch, caplog):
    assert cache.write_entry("a", b"1")
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    monkeypatch.setattr(cache, "_trusted", cache._trusted.__wrapped__)
    if place.stat().st_uid == 0:
        place.chmod(0o777)
    assert cache.read_entry("a") is None and not cache.write_entry("b", b"2")
    assert "BETAPOD_CACHE" in caplog.text and not (place / "b").exists()


def test_the_installed_package_never_writes_into_itself(tmp_path):
    """The verbs that keep results, on a copy of the package: not one file of it is new or changed afterwards."""
    target = tmp_path / "site" / "betapod"
    # With what Python has compiled, but for what it is about to write.
    shutil.copytree(PACKAGE, target, ignore=shutil.ignore_patterns("*.pyc.*"))
    before = cache.content_digest(target)
    environment = {
        **os.environ, "PYTHONPATH": str(target.parent), "BETAPOD_CACHE": str(tmp_path / "cache"), "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip
    code = """
import json, sys
import betapod
from betapod.claims import claims, claim_simulation
print(betapod.__file__)
claim_simulation.compute_outcomes = lambda outcomes, fit: {name: claim_simulation.SimulatedOutcome("%", 0.0, 1.0, 2.0, None) for name in outcomes}
outcomes = {claim.id: claim.outcome for claim in claims.load_claims() if claim.outcome}
claim_simulation.store(outcomes)
claim_simulation.compute_outcomes = None
claim_simulation.STORED = claim_simulation.STORED.with_name("none.json")
assert len(claim_simulation.simulate_outcomes(outcomes)) == len(outcomes)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(target))
    for words in (["doctor"], ["evidence", "list", "--study", "PACKHAM2016"]):
        subprocess.run(
            [sys.executable, "-m", "betapod", *words], capture_output=True, env=environment, cwd=tmp_path, timeout=120
        )
    assert cache.content_digest(target) == before
    assert len(list((tmp_path / "cache" / "claims").iterdir())) > 20


def test_two_processes_write_one_entry(place):
    code = "from betapod.base import cache\nfor i in range(200):\n    cache.write_entry('x/y', b'a' * 100_000)\n    assert cache.read_entry('x/y') == b'a' * 100_000\n"
    running = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for process in running:
        _, messages = process.communicate(timeout=120)
        assert process.returncode == 0, messages
        assert "damaged" not in messages
    assert [path.name for path in (place / "x").iterdir()] == ["y"]


def test_a_killed_writer_leaves_no_entry(place):
    code = "from betapod.base import cache\nprint('on', flush=True)\nwhile True:\n    cache.write_entry('y', b'b' * 5_000_000)\n"
    for moment in (0.0, 0.01, 0.03):
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        process.stdout.readline()
        time.sleep(moment)
        process.kill()
        process.wait()
        process.stdout.close()
        assert cache.read_entry("y") in (None, b"b" * 5_000_000)


def test_a_run_with_another_pool_is_refused(tmp_path, monkeypatch):
    """The pool of a folder is that of its manifest; one that is made afresh of other people is another run."""
    file = tmp_path / "small.yaml"
    file.write_text(trials.TEXT.replace("replicates: 60", "replicates: 2"))
    monkeypatch.setattr(run_folder, "pool_of", lambda trial, *_, **__: trials.pool(trial, people=60))
    run_folder.run_into(tmp_path / "run", run_folder.trial_plan(file))
    (tmp_path / "run" / "pool.npz").write_bytes(b"damaged")
    assert run_folder.resume(tmp_path / "run")
    (tmp_path / "run" / "pool.npz").unlink()
    monkeypatch.setattr(run_folder, "pool_of", lambda trial, *_, **__: trials.pool(trial, people=61))
    with pytest.raises(betapod.errors.ConfigError, match="different pool"):
        run_folder.resume(tmp_path / "run")
    assert json.loads((tmp_path / "run" / "manifest.json").read_text())["identity"]["kind"] == "trial"


def test_parts_of_two_versions_are_not_mixed(tmp_path, monkeypatch):
    file = tmp_path / "small.yaml"
    file.write_text(trials.TEXT.replace("replicates: 60", "replicates: 2"))
    monkeypatch.setattr(run_folder, "pool_of", lambda trial, *_, **__: trials.pool(trial, people=60))
    run_folder.run_into(tmp_path / "run", run_folder.trial_plan(file))
    monkeypatch.setattr(run_folder, "program", lambda module: "another")
    with pytest.raises(betapod.errors.ConfigError, match="another version"):
        run_folder.resume(tmp_path / "run")
    assert run_folder.open_trial_run(tmp_path / "run")


def test_an_entry_that_somebody_else_may_have_left_is_not_used(place):
    """Others may have written while the folder was open to them; entries hold programs."""
    assert cache.write_entry("one.program", b"mine")
    assert cache.read_entry("one.program") == b"mine"
    (place / "one.program").chmod(0o666)
    place.chmod(0o777)
    cache._trusted.cache_clear()
    assert cache.read_entry("one.program") is None


def test_a_part_of_an_ensemble_belongs_to_all_the_code_that_computes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list kept by hand left out the finding of switches, which shapes numbers: parts of two programs could stand in one folder."""
    from betapod.engine import switches
    from betapod.engine.runs import run_plan

    files = cache.closure("betapod.engine.runs.shard")
    assert {Path(module.__file__ or "") for module in (run_plan, switches)} <= set(files)
    before, content = run_plan._code(), cache.content_digest
    monkeypatch.setattr(cache, "closure", {"betapod.engine.runs.shard": files}.__getitem__)
    assert run_plan._code.__wrapped__() == before
    for changed in files:
        monkeypatch.setattr(
            cache, "content_digest", lambda path, changed=changed: content(path) + "*" * (path == changed)
        )
        assert run_plan._code.__wrapped__() != before, changed

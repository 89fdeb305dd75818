"""YAML that asks for more than anybody has: every door says so with a place, at once."""

import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from betapod.base import yaml_budget
from betapod.base.config import marked_yaml, parse_yaml, read_yaml
from betapod.base.errors import ConfigError
from betapod.patients.cohorts import cohort_catalogue
from betapod.trials.protocol.protocol_files import parse_protocol

LAUGHS = "\n".join(
    ["a: &a [x,x,x,x,x,x,x,x,x]"]
    + [f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefghi", "bcdefghij", strict=True)]
)
LOADERS = [parse_yaml, marked_yaml, parse_protocol]
CASES = {
    "billion laughs": (LAUGHS, "too-large"),
    "laughs in mappings": ("a: &a {x: 1, y: 2}\n" + "".join(
        f"k{i}: &k{i} {{a: *{'a' if not i else f'k{i - 1}'}, b: *{'a' if not i else f'k{i - 1}'}}}\n" for i in range(40)
    ), "too-large"),
    "recursive alias": ("a: &a [*a]", "recursive-alias"),
    "recursive alias, further in": ("a: &a {b: [1, {c: *a}]}", "recursive-alias"),
    "recursive alias as a key": ("&a ? *a : 1", "bad-yaml"),
    "2000 lists": ("x: " + "[" * 2000 + "]" * 2000, "too-deep"),
    "100,000 lists, never closed": ("x: " + "[" * 100_000, "too-deep"),
    "100 mappings in flow": ("{a: " * 100 + "1" + "}" * 100, "too-deep"),
    "3000 mappings in blocks": ("\n".join(" " * i + "a:" for i in range(300)), "too-deep"),
    "3000 dashes": ("- " * 3000, "too-deep"),
    "depth by aliases": ("a0: &a0 [1]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 100)), "too-deep"),
    "half a character": ('title: "\\ud800"', "bad-character"),
    "NUL": ('title: "a\\0b"', "bad-character"),
    "escape sequence": ('title: "\\e[31mred"', "bad-character"),
    "a key of half a character": ('"\\udfff": 1', "bad-character"),
    "alias of nobody": ("a: *b", "bad-yaml"),
    "two documents": ("a: 1\n---\nb: 2", "bad-yaml"),
    "another YAML": ("%YAML 9.9\n---\na: 1", "bad-yaml"),
    "no such date": ("a: !!timestamp 2024-99-99", None),
    "no such number": ("a: !!int abc", None),
    "no such tag": ("a: !!python/object:os.system x", None),
}  # fmt: skip


@pytest.mark.parametrize("load", LOADERS, ids=lambda load: load.__name__)
@pytest.mark.parametrize("name", CASES)
def test_a_text_that_asks_for_too_much_is_refused_with_its_place(name, load):
    text, kind = CASES[name]
    try:
        load(text, "big.yaml")
        raised = None
    except ConfigError as error:
        raised = error.problems
    if kind is None:
        assert raised is None or all(problem.location.file == "big.yaml" for problem in raised)
        return
    assert raised and kind in [problem.kind for problem in raised]
    assert raised[0].location.file == "big.yaml"
    if kind != "bad-yaml":
        assert raised[0].location.line > 0 and raised[0].location.column > 0


def test_341_bytes_take_no_memory():
    tracemalloc.start()
    with pytest.raises(ConfigError):
        parse_yaml(LAUGHS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10e6


def test_aliases_are_welcome_otherwise():
    text = "a: &a {x: 1, y: [2, 3]}\nb: *a\nc: [*a, *a]"
    expected = {"x": 1, "y": [2, 3]}
    assert parse_yaml(text).data == {"a": expected, "b": expected, "c": [expected, expected]}


def test_an_anchor_may_be_given_anew():
    assert parse_yaml("a: &a 1\nb: *a\nc: &a 2\nd: *a").data == {"a": 1, "b": 1, "c": 2, "d": 2}


def test_what_is_affordable_can_be_had_to_the_end():
    deep = "[" * (yaml_budget.DEPTH - 1) + "]" * (yaml_budget.DEPTH - 1)
    found, levels = parse_yaml(f"x: {deep}").data["x"], 1
    while found:
        found, levels = found[0], levels + 1
    assert levels == yaml_budget.DEPTH - 1
    with pytest.raises(ConfigError, match="too-deep"):
        parse_yaml(f"x: [{deep}]")


@pytest.mark.parametrize("door", [cohort_catalogue.load_target, read_yaml])
@pytest.mark.parametrize("name", ["billion laughs", "recursive alias", "2000 lists"])
def test_every_door_has_the_same_lock(tmp_path, door, name):
    path = tmp_path / "cohort.yaml"
    path.write_text(CASES[name][0])
    with pytest.raises(ConfigError) as caught:
        door(path)
    assert caught.value.kinds == (CASES[name][1],)


@pytest.mark.parametrize("content", [b"\xff\xfea\x00", b"a: \xe4", b""], ids=["UTF-16", "Latin-1", "empty"])
def test_files_that_are_no_text_are_problems(tmp_path, content):
    path = tmp_path / "x.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError):
        cohort_catalogue.load_target(path)


def test_the_command_says_it_and_ends(tmp_path):
    path = tmp_path / "laughs.yaml"
    path.write_text(LAUGHS)
    done = subprocess.run(
        [sys.executable, "-m", "betapod", "trial", "check", str(path)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2 and "too-large" in done.stderr and "Traceback" not in done.stderr


SHARED = Path(__file__).parents[3] / "shared" / "findings" / "cases" / "breaker"


@pytest.mark.parametrize("name", ["yaml_billion_laughs", "yaml_deep", "yaml_recursive_alias", "trial_surrogate_title"])
def test_the_given_cases_are_refused(name):
    path = SHARED / f"{name}.yaml"
    if not path.exists():
        pytest.skip("the collection of broken files is not beside the repository")
    with pytest.raises(ConfigError):
        read_yaml(path)


PIECES = st.sampled_from(
    ["&a", "*a", "[", "]", "{", "}", ":", ": ", ", ", "- ", "\n", "\n  ", "x", "1", "? ", "<<", "!!int ", "!!binary ", "'",
     '"', "|", ">", "#", "%", "---", "...", "~", "@", "`", "\t", "é", "\x00", "=", "!!set ", "!!omap ", "!!pairs ", "!", "2024-99-99"]
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, max_size=25).map("".join))
def test_any_text_is_read_or_refused(text):
    for load in (parse_yaml, marked_yaml):
        try:
            load(text)
        except ConfigError as error:
            assert all(str(problem) for problem in error.problems)

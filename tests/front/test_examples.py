"""Every public name says what it takes, gives and raises, in units and shapes, and has an example that runs."""

from __future__ import annotations

import doctest
import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from few_draws import few_draws as few_draws

import betapod
from betapod.base.display import Displayed


def _public() -> Iterator[tuple[str, Any]]:
    """Give every public function and class, and the public methods of classes, those of bases that are not public included."""
    named = {name: getattr(betapod, name) for name in betapod.__all__}
    for prefix, module in (("analyses", betapod.analyses), ("designs", betapod.designs)):
        named |= {f"{prefix}.{name}": getattr(module, name) for name in module.__all__}
    for name, what in {**named, "Displayed": Displayed}.items():
        if not callable(what):
            continue
        yield name, what
        if isinstance(what, type):
            hidden = [base for base in what.__mro__[:0:-1] if base.__module__.startswith("betapod.trials.analysis.")]
            for method, member in {k: v for owner in (*hidden, what) for k, v in vars(owner).items()}.items():
                function = member.__func__ if isinstance(member, (classmethod, staticmethod)) else member
                if inspect.isfunction(function) and not method.startswith("_"):
                    yield f"{name}.{method}", function


PUBLIC = dict(_public())
FUNCTIONS = [name for name, what in PUBLIC.items() if inspect.isfunction(what)]
#: What can go wrong in none of these: they look something up or count it.
HARMLESS = {
    "Answer.as_dict",
    "Answer.not_known",
    "Answer.who_and_when",
    "Confrontation.refusals",
    "EnsembleResult.summary",
    "EnsembleSummary.summary",
    "Library.to_bytes",
    "Model.initial_values",
    "Model.values",
    "ParameterTable.implausible",
    "ParameterTable.select",
    "Protocol.measurement",
    "Registry.families",
    "Scorecard.counts",
    "analyses.SlopeFit.chronic",
    "designs.SequentialDesign.chances",
}


def sections(what: Any) -> dict[str, str]:
    parts = re.split(r"^([A-Z][a-z]+)\n-{3,}\n", inspect.getdoc(what) or "", flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_parameters_results_and_errors_are_documented(name: str) -> None:
    function: Callable[..., Any] = PUBLIC[name]
    found = sections(function)
    parameters = [each for each in inspect.signature(function).parameters if each not in ("self", "cls")]
    heads = re.findall(r"^(\w[\w, ]*)$", found.get("Parameters", ""), re.MULTILINE)
    documented = {each.strip() for head in heads for each in head.split(",")}
    assert documented == set(parameters)
    assert "Returns" in found
    if name not in HARMLESS and not name.startswith("list_"):
        assert "Raises" in found


@pytest.mark.parametrize("name", PUBLIC)
def test_examples_run(name: str) -> None:
    if PUBLIC[name] is Displayed:
        return  # only what inherits from it can be made
    (test,) = doctest.DocTestFinder(recurse=False).find(PUBLIC[name], name, globs={})
    assert test.examples, f"{name} has no example"
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    report: list[str] = []
    runner.run(test, out=report.append)
    assert not runner.failures, "".join(report)

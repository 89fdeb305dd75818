"""Dependency graphs of submodels or single names, as Graphviz or Mermaid text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..algebra.expression import Expr, free_symbols
from ..assembly.model import Implicit, Model
from .model_document import ModelDocument


@dataclass(frozen=True)
class Graph:
    """Nodes with label, group and kind (state, equation, input, submodel); edges with what is carried."""

    nodes: dict[str, tuple[str, str, str]]
    edges: dict[tuple[str, str], tuple[str, ...]]


def submodel_graph(sheet: ModelDocument) -> Graph:
    """Return which submodel reads which names of which other."""
    nodes = {section.title: (section.title, "", "submodel") for section in sheet.sections}
    edges: dict[tuple[str, str], list[str]] = {}
    inputs = {row.id for row in sheet.inputs}
    for section in sheet.sections:
        for read in section.reads:
            source = "inputs" if read.name in inputs else read.owner
            edges.setdefault((source, section.title), []).append(read.name)
    if any(source == "inputs" for source, _ in edges):
        nodes["inputs"] = ("inputs", "", "input")
    return Graph(nodes, {pair: tuple(names) for pair, names in edges.items()})


def name_graph(model: Model) -> Graph:
    """Return which state and equation needs which state, equation and input (parameters are left out: they are constants)."""
    nodes: dict[str, tuple[str, str, str]] = {}
    edges: dict[tuple[str, str], tuple[str, ...]] = {}
    for state in model.states:
        nodes[state.name] = (state.label or state.name, state.owner, "state")
    for entry in model.assignments.values():
        nodes[entry.name] = (entry.label or entry.name, entry.owner, "equation")
    for name, row in model.inputs.items():
        nodes[name] = (row.label or name, "inputs", "input")
    for state in model.states:
        edges |= _edges(state.name, [state.local_rate], nodes)
    for entry in model.assignments.values():
        edges |= _edges(entry.name, _roots(entry.local), nodes)
    return Graph(nodes, edges)


def _roots(local: Expr | Implicit) -> list[Expr]:
    return [local] if isinstance(local, Expr) else [local.left, local.right, local.start]


def _edges(
    target: str, roots: list[Expr], nodes: dict[str, tuple[str, str, str]]
) -> dict[tuple[str, str], tuple[str, ...]]:
    return {(name, target): () for name in free_symbols(roots) if name in nodes and name != target}


_SHAPES = {"state": "box", "equation": "ellipse", "input": "parallelogram", "submodel": "box"}


def dot(graph: Graph, title: str) -> str:
    """Return Graphviz text; names of one submodel stand in one cluster."""
    out = [f"digraph {_quote(title)} {{", "  rankdir=LR;", '  node [fontname="sans-serif", fontsize=11];']
    out.append('  edge [fontname="sans-serif", fontsize=9, color="#57606a"];')
    groups: dict[str, list[str]] = {}
    for name, (_, group, _) in graph.nodes.items():
        groups.setdefault(group, []).append(name)
    for number, (group, names) in enumerate(groups.items()):
        indent = "    " if group else "  "
        if group:
            out += [f"  subgraph cluster_{number} {{", f"    label={_quote(group)}; color={_quote('#d0d7de')};"]
        for name in names:
            label, _, kind = graph.nodes[name]
            tip = "" if label == name else f", tooltip={_quote(label)}"
            style = ', style="rounded"' if kind == "submodel" else ""
            out.append(f"{indent}{_quote(name)} [shape={_SHAPES[kind]}{style}{tip}];")
        if group:
            out.append("  }")
    for (source, target), carried in graph.edges.items():
        label = f" [label={_quote(_wrapped(carried, chr(10)))}]" if carried else ""
        out.append(f"  {_quote(source)} -> {_quote(target)}{label};")
    return "\n".join([*out, "}"]) + "\n"


def mermaid(graph: Graph) -> str:
    """Return Mermaid flowchart text."""
    out = ["flowchart LR"]
    groups: dict[str, list[str]] = {}
    for name, (_, group, _) in graph.nodes.items():
        groups.setdefault(group, []).append(name)
    brackets = {"state": ("[", "]"), "equation": ("(", ")"), "input": ("[/", "/]"), "submodel": ("(", ")")}
    for number, (group, names) in enumerate(groups.items()):
        if group:
            out.append(f'  subgraph group_{number}["{group}"]')
        for name in names:
            before, after = brackets[graph.nodes[name][2]]
            out.append(f'    {_identifier(name)}{before}"{name}"{after}')
        if group:
            out.append("  end")
    for (source, target), carried in graph.edges.items():
        label = f'|"{_wrapped(carried, "<br/>")}"|' if carried else ""
        out.append(f"  {_identifier(source)} -->{label} {_identifier(target)}")
    return "\n".join(out) + "\n"


def _wrapped(names: tuple[str, ...], newline: str) -> str:
    """Join names, four to a line, so that labels stay narrow."""
    lines = [", ".join(names[start : start + 4]) for start in range(0, len(names), 4)]
    return newline.join(lines)


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _identifier(name: str) -> str:
    # A bare "end" or a hyphen would be Mermaid syntax.
    return "n_" + re.sub(r"\W", "_", name)

"""The structure of a model as one picture: which submodel reads from which, as a matrix."""

from __future__ import annotations

from markupsafe import Markup, escape

from .graph import Graph

#: Size of a cell and of a letter of the names, and the space around, in units of the picture.
_CELL, _LETTER, _AROUND = 12, 6.1, 8


def structure_matrix(graph: Graph, anchor: dict[str, str]) -> Markup:
    """Return a picture in which a filled cell says that the submodel of its column reads from that of its row.

    A matrix needs no layout and stays legible with sixty submodels. Cells on the way back, above the diagonal where the reader stands
    before what it reads, are the loops of the model.

    Parameters
    ----------
    graph
        Of submodels, see `graph.submodel_graph`.
    anchor
        Submodel -> where the page tells of it.
    """
    names = list(graph.nodes)
    row_of = {name: number for number, name in enumerate(names)}
    left = top = round(max(map(len, names), default=0) * _LETTER) + _AROUND
    size = _CELL * len(names)
    parts = [
        f'<svg viewBox="0 0 {left + size + _AROUND} {top + size + _AROUND}" width="{left + size + _AROUND}" role="group" '
        f'aria-label="Structure: which of {len(names)} submodels reads from which">'
    ]
    for name, number in row_of.items():
        middle = top + _CELL * (number + 0.75)
        across = left + _CELL * (number + 0.75)
        link = f'<a href="#{escape(anchor[name])}" tabindex="-1">' if name in anchor else "<g>"
        end = "</a>" if name in anchor else "</g>"
        parts.append(f'{link}<text x="{left - 4}" y="{middle:g}" text-anchor="end">{escape(name)}</text>{end}')
        parts.append(f'{link}<text transform="translate({across:g} {top - 4}) rotate(-90)">{escape(name)}</text>{end}')
        parts.append(
            f'<rect class="self" x="{left + _CELL * number}" y="{top + _CELL * number}" width="{_CELL}" height="{_CELL}"/>'
        )
    for (source, reader), carried in graph.edges.items():
        if source not in row_of or reader not in row_of:
            continue
        back = " back" if row_of[source] > row_of[reader] else ""
        title = f"{reader} reads {', '.join(carried)} from {source}"
        parts.append(
            f'<rect class="reads{back}" x="{left + _CELL * row_of[reader] + 1}" y="{top + _CELL * row_of[source] + 1}" '
            f'width="{_CELL - 2}" height="{_CELL - 2}"><title>{escape(title)}</title></rect>'
        )
    return Markup("".join([*parts, "</svg>"]))

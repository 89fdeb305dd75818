"""Which records fit conditions, and which names of a condition no record has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from .study import Record


def _class_of_endpoint(record: Record) -> tuple[str, ...]:
    return (record.endpoint,)


#: What records are selected by, and the words of a record that count.
CONDITIONS: dict[str, Callable[[Record], tuple[str, ...]]] = {
    "study": lambda record: (record.study,),
    "family": lambda record: (record.family,),
    "population": lambda record: (record.population,),
    "endpoint": lambda record: (record.endpoint, record.endpoint_text),
    "product": lambda record: (record.product,),
}


def fitting(
    records: Iterable[Record],
    conditions: Mapping[str, str | Sequence[str] | None],
    tag: str | None = "seen",
    controls: bool = False,
) -> tuple[list[Record], dict[str, tuple[list[str], list[str]]]]:
    """Return the records that fit every condition, and by condition the names that no record has.

    Parameters
    ----------
    conditions
        By name of `CONDITIONS`; a sequence means any of its members, None anything.
    tag, controls
        As of `Registry.select`.

    Returns
    -------
    tuple
        Records in their order; condition -> unknown names and all names that some record has, both sorted. Guessing which name
        was meant costs far more than finding that none is it, and is left to those who say so.
    """
    candidates = list(records)
    selected = [record for record in candidates if tag is None or record.tag == tag]
    unknown = {}
    for name, read in CONDITIONS.items():
        wanted = conditions.get(name)
        if wanted is None:
            continue
        names = {wanted} if isinstance(wanted, str) else set(wanted)
        if name == "endpoint" and names <= {record.endpoint for record in candidates}:
            read = _class_of_endpoint  # a class that is also the text of another class means the class
        values = {value for record in candidates for value in read(record)}
        if names - values:
            unknown[name] = sorted(names - values), sorted(values)
        if name == "product" and controls:
            studies = {record.study for record in selected if record.product in names}
            selected = [r for r in selected if r.product in names or (r.product == "control" and r.study in studies)]
            continue
        selected = [record for record in selected if names.intersection(read(record))]
    return selected, unknown

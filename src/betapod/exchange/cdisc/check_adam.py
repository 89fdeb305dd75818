"""Check data sets of ADaM, own or foreign, by rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from .adam_general_rules import general_rules, subject_rules
from .adam_reader import AdamFolder, read_adam
from .adam_record_rules import event_rules, value_rules
from .adam_rule import AdamRule, CheckedDataset, Violation

if TYPE_CHECKING:
    import pandas as pd

_ODM = "{http://www.cdisc.org/ns/odm/v1.3}"


@dataclass(frozen=True)
class AdamFinding:
    """A rule that a data set breaks.

    Attributes
    ----------
    rows
        Records that break it; 0 where it is a variable or the data set as such.
    example
        Of the first.
    """

    rule: str
    text: str
    dataset: str
    variable: str
    rows: int
    example: str


@dataclass(frozen=True)
class AdamCheck:
    """What a check says.

    Attributes
    ----------
    findings
        By data set and rule.
    datasets
        What was checked.
    rules
        How many rules there are.
    """

    folder: Path
    findings: tuple[AdamFinding, ...]
    datasets: tuple[str, ...]
    rules: int = field(default=0)

    @property
    def good(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    @property
    def table(self) -> pd.DataFrame:
        """One row per finding: rule, data set, variable, records, what must hold, an example."""
        import pandas as pd

        rows = [(f.rule, f.dataset, f.variable, f.rows, f.text, f.example) for f in self.findings]
        return pd.DataFrame(rows, columns=["rule", "dataset", "variable", "records", "text", "example"])


def adam_rules() -> tuple[AdamRule, ...]:
    """Return every rule, with what must hold."""
    return (
        *general_rules(),
        *subject_rules(),
        *value_rules(),
        *event_rules(),
        AdamRule("D01", "define.xml describes every variable of the data, and none that is not there", _undescribed),
        AdamRule("D02", "labels of define.xml are those of the data", _other_labels),
    )


def check_adam(folder: str | Path | AdamFolder) -> AdamCheck:
    """Check the data sets of a folder, one's own or others', by rules of ADaM.

    Data sets whose names do not begin with AD are read but not checked.

    Parameters
    ----------
    folder
        With files such as ``adsl.xpt``, or what `read_adam` returned.

    Returns
    -------
    AdamCheck
        ``good``, ``findings``, and the same as a ``table``.

    Raises
    ------
    ConfigError
        No such folder, no data set in it, or one that cannot be read.

    Examples
    --------
    >>> import betapod, tempfile
    >>> run = betapod.run_trial("dn61", designs=["single arm"], scenarios=["none"], replicates=4)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = betapod.export_cdisc(run, folder, formats="parquet")
    ...     check = betapod.check_adam(folder)
    >>> check.good
    True
    """
    datasets = folder if isinstance(folder, AdamFolder) else read_adam(folder)
    names = [name for name in datasets if name.startswith("AD")]
    checked = {name: datasets[name] for name in names}
    rules = adam_rules()
    findings = [
        AdamFinding(rule.id, rule.text, item.dataset.name, violation.variable, violation.rows, violation.example)
        for item in (CheckedDataset(checked[name], checked) for name in names)
        for rule in rules
        for violation in rule.violations(item)
    ]
    return AdamCheck(datasets.folder, tuple(findings), tuple(names), len(rules))


def _described(checked: CheckedDataset) -> dict[str, str] | None:
    """Return variable -> label as the define.xml beside a data set has them; None without one, or without this data set."""
    path = checked.dataset.path.parent / "define.xml"
    if not path.is_file():
        return None
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError:
        return {}
    items = {
        item.get("OID"): (item.get("Name") or "", item.findtext(f"{_ODM}Description/{_ODM}TranslatedText") or "")
        for item in root.iter(f"{_ODM}ItemDef")
    }
    for group in root.iter(f"{_ODM}ItemGroupDef"):
        if group.get("Name") == checked.dataset.name:
            oids = [reference.get("ItemOID") for reference in group.iter(f"{_ODM}ItemRef")]
            return dict(items.get(oid, (str(oid), "")) for oid in oids)
    return {}


def _undescribed(checked: CheckedDataset) -> Iterator[Violation]:
    described = _described(checked)
    if described is None:
        return
    for name in checked.frame.columns:
        if name not in described:
            yield Violation(str(name), 0, "is not in define.xml")
    for name in described:
        if name not in checked.frame:
            yield Violation(name, 0, "is in define.xml and not in the data")


def _other_labels(checked: CheckedDataset) -> Iterator[Violation]:
    for name, label in (_described(checked) or {}).items():
        own_label = checked.dataset.labels.get(name, label)
        if own_label != label:
            yield Violation(name, 0, f"{own_label!r}, in define.xml {label!r}")

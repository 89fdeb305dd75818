"""Define-XML 2.1: the description of data sets that goes with them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from .cdisc_variables import STANDARDS
from .dataset_files import text_lengths

if TYPE_CHECKING:
    from .cdisc_variables import CdiscDataset, CdiscVariable
    from .simulated_study import SimulatedStudy

_ODM = "http://www.cdisc.org/ns/odm/v1.3"
_DEF = "http://www.cdisc.org/ns/def/v2.1"
_XLINK = "http://www.w3.org/1999/xlink"
#: Standard -> how Define-XML names its guide, and the version whose names are used here.
_GUIDES = {"adam": ("ADaMIG", "1.3"), "sdtm": ("SDTMIG", "3.4")}
_DATA_TYPES = {"text": "text", "integer": "integer", "float": "float", "date": "integer", "iso": "date"}
#: Terms of a list are written down to this many; a longer list is no list.
_MOST_TERMS = 200


class _Builder:
    """Elements in the three name spaces."""

    def element(self, parent: ElementTree.Element, name: str, text: str = "", **attributes: str) -> ElementTree.Element:
        """Add an element; a name with the prefix ``def:`` is of Define-XML, as are attributes that begin with ``def_``."""
        keys = {self.key(key): value for key, value in attributes.items() if value != ""}
        child = ElementTree.SubElement(parent, self.key(name), keys)
        child.text = text or None
        return child

    @staticmethod
    def key(name: str) -> str:
        for prefix, space in (("def:", _DEF), ("def_", _DEF), ("xlink_", _XLINK)):
            if name.startswith(prefix):
                return f"{{{space}}}{name.removeprefix(prefix)}"
        return name if name[:1].isupper() and ":" not in name and name in _PLAIN else f"{{{_ODM}}}{name}"

    def described(self, parent: ElementTree.Element, text: str) -> None:
        description = self.element(parent, "Description")
        translated = self.element(description, "TranslatedText", text)
        translated.set("{http://www.w3.org/XML/1998/namespace}lang", "en")


#: Attributes, which have no name space.
_PLAIN = frozenset(
    {
        "OID", "Name", "Type", "Version", "Status", "PublishingSet", "Repeating", "IsReferenceData", "SASDatasetName", "Purpose",
        "ItemOID", "OrderNumber", "Mandatory", "KeySequence", "MethodOID", "DataType", "Length", "SASFieldName", "CodedValue",
        "CodeListOID", "ID", "Source", "Domain", "SignificantDigits",
    }
)  # fmt: skip


def define_xml(
    study: SimulatedStudy, standard: str, datasets: Sequence[CdiscDataset], created: str, ending: str
) -> str:
    """Return a Define-XML 2.1 document.

    Parameters
    ----------
    standard
        ``adam`` or ``sdtm``.
    created
        Date and time by ISO 8601.
    ending
        Of the files that it points to, such as ``.xpt``.
    """
    for prefix, space in (("", _ODM), ("def", _DEF), ("xlink", _XLINK)):
        ElementTree.register_namespace(prefix, space)
    build = _Builder()
    root = ElementTree.Element(f"{{{_ODM}}}ODM")
    for key, value in {
        "ODMVersion": "1.3.2",
        "FileType": "Snapshot",
        "FileOID": f"DEFINE.{study.study_id}.{STANDARDS[standard]}",
        "CreationDateTime": created,
        "Originator": "betapod",
        f"{{{_DEF}}}Context": "Other",
    }.items():
        root.set(key, value)
    version = _version(build, root, study, standard)
    lists = _terms(datasets)
    for dataset in datasets:
        _group(build, version, dataset, ending)
    for dataset in datasets:
        _items(build, version, dataset, lists)
    for oid, (variable, terms) in lists.items():
        codes = build.element(
            version, "CodeList", OID=oid, Name=f"{variable.label} ({oid.removeprefix('CL.')})", DataType=_list_type(variable),
            def_IsNonStandard="Yes",
        )  # fmt: skip
        for term in terms:
            build.element(codes, "EnumeratedItem", CodedValue=term)
    _methods(build, version, datasets)
    _comments(build, version, study, datasets)
    ElementTree.indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _list_type(variable: CdiscVariable) -> str:
    return "text" if variable.is_text else "float"


def _version(build: _Builder, root: ElementTree.Element, study: SimulatedStudy, standard: str) -> ElementTree.Element:
    """Add the study and the standards; return the element that all else stands in."""
    parent = build.element(root, "Study", OID=f"ST.{study.study_id}")
    names = build.element(parent, "GlobalVariables")
    build.element(names, "StudyName", study.study_id)
    words = f"Simulated trial: {study.protocol.title}. Every subject and every value was simulated by betapod; nobody was treated."
    build.element(names, "StudyDescription", words)
    build.element(names, "ProtocolName", study.protocol.name)
    version = build.element(
        parent, "MetaDataVersion", OID=f"MDV.{study.study_id}", Name=f"{study.study_id} {STANDARDS[standard]}",
        def_DefineVersion="2.1.0",
    )  # fmt: skip
    guide, number = _GUIDES[standard]
    standards = build.element(version, "def:Standards")
    build.element(standards, "def:Standard", OID="STD.1", Name=guide, Type="IG", Version=number, Status="Final")
    return version


def _group(build: _Builder, version: ElementTree.Element, dataset: CdiscDataset, ending: str) -> None:
    per_subject = dataset.structure == "One record per subject"
    reference = dataset.kind_of_data == "TRIAL DESIGN"
    group = build.element(
        version, "ItemGroupDef", OID=f"IG.{dataset.name}", Name=dataset.name, Domain="" if dataset.name.startswith(("AD", "SIM")) else dataset.name,
        Repeating="No" if per_subject else "Yes", IsReferenceData="Yes" if reference else "No", SASDatasetName=dataset.name,
        Purpose="Analysis" if dataset.name.startswith(("AD", "SIM")) else "Tabulation", def_Structure=dataset.structure,
        def_StandardOID="STD.1", def_ArchiveLocationID=f"LF.{dataset.name}", def_CommentOID="COM.SIMULATED",
    )  # fmt: skip
    build.described(group, dataset.label)
    keys = {name: str(k) for k, name in enumerate(dataset.keys, 1)}
    for number, variable in enumerate(dataset.variables, 1):
        build.element(
            group, "ItemRef", ItemOID=f"IT.{dataset.name}.{variable.name}", OrderNumber=str(number),
            Mandatory="Yes" if variable.name in keys and variable.name != "AESTDTC" else "No", KeySequence=keys.get(variable.name, ""),
            MethodOID=f"MT.{variable.name}" if variable.origin == "Derived" else "",
        )  # fmt: skip
    build.element(group, "def:Class", Name=dataset.kind_of_data)
    leaf = build.element(group, "def:leaf", ID=f"LF.{dataset.name}", xlink_href=f"{dataset.name.lower()}{ending}")
    build.element(leaf, "def:title", f"{dataset.name.lower()}{ending}")


def _items(
    build: _Builder,
    version: ElementTree.Element,
    dataset: CdiscDataset,
    lists: Mapping[str, tuple[CdiscVariable, list[str]]],
) -> None:
    lengths = text_lengths(dataset)
    for variable in dataset.variables:
        kind = _DATA_TYPES[variable.kind]
        length = str(lengths.get(variable.name, 8)) if kind in ("text", "integer", "float") else ""
        commented = variable.text and variable.origin != "Derived"
        item = build.element(
            version, "ItemDef", OID=f"IT.{dataset.name}.{variable.name}", Name=variable.name, DataType=kind, Length=length,
            SignificantDigits="15" if kind == "float" else "", SASFieldName=variable.name, def_DisplayFormat=variable.sas_format,
            def_CommentOID=f"COM.{variable.name}" if commented and variable.origin != "Predecessor" else "",
        )  # fmt: skip
        build.described(item, variable.label)
        if (oid := f"CL.{dataset.name}.{variable.name}") in lists:
            build.element(item, "CodeListRef", CodeListOID=oid)
        origin = build.element(
            item,
            "def:Origin",
            Type=variable.origin,
            Source="Sponsor" if variable.origin in ("Assigned", "Derived") else "",
        )
        if variable.origin == "Predecessor":
            build.described(origin, variable.text)
        if variable.origin == "Other":
            build.described(origin, "Simulated")


def _terms(datasets: Iterable[CdiscDataset]) -> dict[str, tuple[CdiscVariable, list[str]]]:
    """Return the lists of terms: identifier -> variable, and the values that it has."""
    lists = {}
    for dataset in datasets:
        for variable in dataset.variables:
            if not variable.terms:
                continue
            terms = sorted(text for text in dataset.frame[variable.name].unique() if text)
            if terms and len(terms) <= _MOST_TERMS:
                lists[f"CL.{dataset.name}.{variable.name}"] = (variable, terms)
    return lists


def _of_origin(datasets: Iterable[CdiscDataset], wanted: bool) -> dict[str, CdiscVariable]:
    """Return the variables that have a method (derived) or a comment (others but those copied), by name."""
    variables = itertools.chain.from_iterable(dataset.variables for dataset in datasets)
    return {
        variable.name: variable
        for variable in variables
        if (variable.origin == "Derived") == wanted and (wanted or (variable.text and variable.origin != "Predecessor"))
    }


def _methods(build: _Builder, version: ElementTree.Element, datasets: Sequence[CdiscDataset]) -> None:
    for name, variable in _of_origin(datasets, True).items():
        method = build.element(version, "MethodDef", OID=f"MT.{name}", Name=f"Algorithm of {name}", Type="Computation")
        build.described(method, variable.text or f"{variable.label}, as the record of the source has it")


def _comments(
    build: _Builder, version: ElementTree.Element, study: SimulatedStudy, datasets: Sequence[CdiscDataset]
) -> None:
    data = study.data
    words = (
        f"Simulated by betapod: protocol {study.protocol.name}, design {data.design}, scenario {data.scenario}, replicate "
        f"{study.replicate}, seed {study.protocol.seed}. No subject, no measurement and no event of it is real."
    )
    comment = build.element(version, "def:CommentDef", OID="COM.SIMULATED")
    build.described(comment, words)
    for name, variable in _of_origin(datasets, False).items():
        comment = build.element(version, "def:CommentDef", OID=f"COM.{name}")
        build.described(comment, variable.text)

"""The catalogue as DCAT 3 with DQV, and its check against ``shapes.ttl`` (after DCAT-AP 3).

The same entries give the same bytes: no blank nodes, no clock.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from rdflib import DCAT, DCTERMS, FOAF, PROV, RDF, RDFS, SKOS, XSD, Graph, Namespace, URIRef
from rdflib import Literal as Text

from sharing.people import DATA_AUTHORITY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sharing.catalogue.entries import Entry

Format = Literal["turtle", "json-ld"]
DQV: Final = Namespace("http://www.w3.org/ns/dqv#")
J: Final = Namespace("urn:jingshu:")
_FREQUENCY: Final = Namespace("http://publications.europa.eu/resource/authority/frequency/")
_CYCLES: Final = {
    "daily": "DAILY",
    "weekly": "WEEKLY",
    "monthly": "MONTHLY",
    "quarterly": "QUARTERLY",
    "yearly": "ANNUAL",
    "adhoc": "IRREG",
}
_SHAPES: Final = Path(__file__).with_name("shapes.ttl")
_CATALOG, _GATEWAY, _AUTHORITY = J["catalogue"], J["gateway"], J[f"body/{DATA_AUTHORITY}"]
#: DCAT 3; rdflib's own list of terms is DCAT 2's.
_VERSION: Final = URIRef(f"{DCAT}version")
_ODCS: Final = URIRef("https://bitol.io/open-data-contract-standard/v3.1.0")


def graph(entries: Iterable[Entry]) -> Graph:
    """Return the catalogue as an RDF graph. Pure."""
    made = Graph()
    for prefix, space in (("dcat", DCAT), ("dqv", DQV), ("j", J), ("prov", PROV)):
        made.bind(prefix, space)
    made.add((_CATALOG, RDF.type, DCAT.Catalog))
    made.add((_CATALOG, DCTERMS.title, Text("北京市政务数据目录", lang="zh")))
    made.add((_CATALOG, DCTERMS.title, Text("Catalogue of government data", lang="en")))
    made.add((_CATALOG, DCTERMS.description, Text("政务数据共享条例第十三条", lang="zh")))
    made.add((_CATALOG, DCTERMS.publisher, _AUTHORITY))
    made.add((_CATALOG, DCAT.service, _GATEWAY))
    _body(made, DATA_AUTHORITY, "市政务服务和数据管理局", "Gov. Services & Data (data authority)")
    made.add((_GATEWAY, RDF.type, DCAT.DataService))
    made.add((_GATEWAY, DCTERMS.title, Text("Delta Sharing gateway", lang="en")))
    made.add((_GATEWAY, DCAT.endpointURL, J["gateway/delta-sharing"]))
    for entry in entries:
        _dataset(made, entry)
    return made


def export(entries: Iterable[Entry], form: Format) -> str:
    """Return the catalogue as Turtle or JSON-LD, the same text for the same entries."""
    made = graph(entries)
    if form == "turtle":
        return made.serialize(format="turtle")
    nodes = json.loads(made.serialize(format="json-ld"))
    for node in nodes:
        for name, values in node.items():
            if isinstance(values, list):
                node[name] = sorted(values, key=lambda v: json.dumps(v, sort_keys=True))
    ordered = sorted(nodes, key=lambda n: str(n["@id"]))
    return json.dumps(ordered, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def nonconformities(made: Graph) -> tuple[str, ...]:
    """Return, in words, each entry and field that the shapes refuse; empty where all conform."""
    from pyshacl import validate
    from rdflib.namespace import SH

    _, report, _ = validate(made, shacl_graph=Graph().parse(_SHAPES, format="turtle"))
    if not isinstance(report, Graph):
        raise TypeError(f"pyshacl gave {type(report).__name__}, not a report graph")
    told = []
    for result in report.subjects(RDF.type, SH.ValidationResult):
        node, path = report.value(result, SH.focusNode), report.value(result, SH.resultPath)
        told.append(f"{node}: {path}: {report.value(result, SH.resultMessage)}")
    return tuple(sorted(told))


def _dataset(made: Graph, entry: Entry) -> None:
    node = J[f"dataset/{entry.code or entry.table}"]
    made.add((_CATALOG, DCAT.dataset, node))
    made.add((node, RDF.type, DCAT.Dataset))
    plain = (
        (DCTERMS.identifier, Text(entry.code) if entry.code else None),
        (DCTERMS.title, Text(entry.title, lang="zh") if entry.title else None),
        (DCTERMS.description, Text(entry.summary, lang="zh") if entry.summary else None),
        (DCTERMS.publisher, J[f"body/{entry.provider}"]),
        (DCTERMS.conformsTo, _ODCS),
        (_VERSION, Text(entry.contract_version)),
        (DCTERMS.accessRights, Text(entry.attribute) if entry.attribute else None),
        (J["grade"], Text(entry.gb43697_grade) if entry.gb43697_grade else None),
        (J["level"], Text(entry.dept_level) if entry.dept_level else None),
        (J["sourceDepartment"], Text(entry.source_dept) if entry.source_dept else None),
        (J["origin"], Text(entry.lake.origin) if entry.lake.origin else None),
        (DCTERMS.accrualPeriodicity, _FREQUENCY[_CYCLES[entry.cycle]] if entry.cycle else None),
        (PROV.wasAttributedTo, J[f"body/{entry.provider}"]),
    )
    for predicate, value in plain:
        if value is not None:
            made.add((node, predicate, value))
    for word in (entry.theme, entry.category):
        if word:
            made.add((node, DCAT.keyword, Text(word, lang="zh")))
    for condition in entry.use_conditions:
        made.add((node, DCTERMS.rights, Text(condition, lang="zh")))
    for related in entry.related:
        made.add((node, PROV.wasDerivedFrom, J[f"table/{related}"]))
    if entry.lake.updated_at is not None:
        made.add((node, DCTERMS.modified, Text(entry.lake.updated_at, datatype=XSD.dateTime)))
    _body(made, entry.provider, entry.provider_name, entry.provider_name_en)
    for item in entry.items:
        part = URIRef(f"{node}#{item.name}")
        made.add((node, J["item"], part))
        made.add((part, RDFS.label, Text(item.title, lang="zh")))
        made.add((part, J["type"], Text(item.type)))
        made.add((part, J["level"], Text(item.level)))
    _distribution(made, entry, node)
    _quality(made, entry, node)


def _distribution(made: Graph, entry: Entry, node: URIRef) -> None:
    part = URIRef(f"{node}#distribution")
    made.add((node, DCAT.distribution, part))
    made.add((part, RDF.type, DCAT.Distribution))
    made.add((part, DCAT.accessURL, J[f"table/{entry.table}"]))
    made.add((part, DCAT.accessService, _GATEWAY))
    if entry.format:
        made.add((part, DCTERMS["format"], Text(entry.format)))


def _quality(made: Graph, entry: Entry, node: URIRef) -> None:
    for dimension, score in (entry.lake.scores or {}).items():
        part, metric = URIRef(f"{node}#quality-{dimension}"), J[f"metric/{dimension}"]
        made.add((node, DQV.hasQualityMeasurement, part))
        made.add((part, RDF.type, DQV.QualityMeasurement))
        made.add((part, DQV.computedOn, node))
        made.add((part, DQV.isMeasurementOf, metric))
        made.add((part, DQV.value, Text(score.satisfied / score.judged, datatype=XSD.double)))
        made.add((part, J["satisfied"], Text(score.satisfied)))
        made.add((part, J["judged"], Text(score.judged)))
        made.add((metric, RDF.type, DQV.Metric))
        made.add((metric, DQV.inDimension, J[f"dimension/{dimension}"]))
        made.add((metric, SKOS.definition, Text("GB/T 36344-2018, X/Y", lang="en")))


def _body(made: Graph, body: str, name: str, name_en: str) -> None:
    node = J[f"body/{body}"]
    made.add((node, RDF.type, FOAF.Agent))
    made.add((node, FOAF.name, Text(name, lang="zh")))
    made.add((node, FOAF.name, Text(name_en, lang="en")))

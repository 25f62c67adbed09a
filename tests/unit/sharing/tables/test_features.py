"""Every feature of the Delta protocol: the released client reads the table, or is told why not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import delta_sharing
import pytest
from deltalake import write_deltalake
from requests import HTTPError

from sharing.grants import grants
from sharing.tables import foreign
from sharing.tables.ceiling import NotServedError
from sharing.tables.storage import Folder
from tests.support.sharing.served import client_of, districts

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.sharing.served import Served

#: Delta protocol § Valid Feature Names in Table Features, and the previews that released writers
#: (Delta Spark 3.0–4.4) have put into logs: reader and writer features, then those of writers.
OF_BOTH: Final = [
    "columnMapping",
    "deletionVectors",
    "timestampNtz",
    "v2Checkpoint",
    "vacuumProtocolCheck",
    "typeWidening",
    "typeWidening-preview",
    "variantType",
    "variantType-preview",
    "variantShredding",
    "variantShredding-preview",
    "catalogManaged",
    "catalogOwned-preview",
]
OF_WRITERS: Final = [
    "appendOnly",
    "invariants",
    "checkConstraints",
    "changeDataFeed",
    "generatedColumns",
    "identityColumns",
    "rowTracking",
    "domainMetadata",
    "icebergCompatV1",
    "icebergCompatV2",
    "icebergCompatV3",
    "icebergWriterCompatV1",
    "icebergWriterCompatV3",
    "clustering",
    "allowColumnDefaults",
    "collations",
    "collations-preview",
    "inCommitTimestamp",
    "inCommitTimestamp-preview",
    "checkpointProtection",
    "checkpointProtection-preview",
    "coordinatedCommits-preview",
    "materializePartitionColumns",
    "redirectWriterOnly-preview",
]
#: What switches a feature on, where a client looks at the setting too.
SETTINGS: Final = {
    "inCommitTimestamp": {"delta.enableInCommitTimestamps": "true"},
    "rowTracking": {
        "delta.enableRowTracking": "true",
        "delta.rowTracking.materializedRowIdColumnName": "_row_id",
    },
    "v2Checkpoint": {"delta.checkpointPolicy": "v2"},
    "catalogManaged": {"io.unitycatalog.tableId": "1"},
    "deletionVectors": {"delta.enableDeletionVectors": "true"},
}
#: Features without which a file's bytes are misread, and that the released client does not claim.
UNREADABLE: Final = {
    f for f in OF_BOTH if f.startswith(("typeWidening", "variantType", "variantShredding"))
}
#: delta-rs opens no such table, so nobody is served one.
UNOPENED: Final = {"catalogManaged", "catalogOwned-preview"}
LEGACY: Final = [(1, w) for w in range(1, 7)] + [(2, w) for w in range(5, 7)]


def table_url(name: str) -> str:
    return f"/delta-sharing/shares/partner/schemas/x/tables/{name}"


def shared(served: Served, folder: Path, name: str, protocol: dict[str, Any]) -> str:
    """Share a table with a change data feed whose first commit states this protocol."""
    rows = districts(("110101", "东华门", 120), ("110105", "建外", 30))
    feed = {"delta.enableChangeDataFeed": "true"}
    write_deltalake(folder, rows, configuration=feed)
    log = folder / "_delta_log" / f"{0:020}.json"
    actions = [json.loads(line) for line in log.read_text().splitlines()]
    for action in actions:
        if "protocol" in action:
            action["protocol"] = protocol
        if "metaData" in action:
            feature = next(iter(protocol.get("writerFeatures", ["none"])))
            action["metaData"]["configuration"] |= SETTINGS.get(feature, {})
    log.write_text("\n".join(json.dumps(a) for a in actions))
    root = Folder(folder)
    foreign.add_table(served.control, root, "partner", "x", name, level="L2", actor="test")
    grants.grant(
        served.control,
        "demo",
        f"partner.x.{name}",
        "演示",
        grants.Reach(history_from=0),
        actor="test",
    )
    return client_of(served, table_url(name))


def named(feature: str) -> dict[str, Any]:
    """A protocol that names one feature, in each list where it belongs, beside the feed's."""
    both = [feature] if feature in OF_BOTH else []
    writers = list(dict.fromkeys([feature, "changeDataFeed"]))
    return {
        "minReaderVersion": 3,
        "minWriterVersion": 7,
        "readerFeatures": both,
        "writerFeatures": writers,
    }


@pytest.mark.parametrize("feature", sorted({*OF_BOTH, *OF_WRITERS} - UNOPENED))
def test_the_released_client_reads_a_table_with_each_feature_or_is_told_why_not(
    standing: Served, tmp_path: Path, feature: str
) -> None:
    url = shared(standing, tmp_path / "t", f"f-{feature}", named(feature))
    if feature in UNREADABLE:
        with pytest.raises(HTTPError, match=f"readerfeatures={feature}"):
            delta_sharing.load_as_pandas(url, use_delta_format=True)
        return
    for version in (None, 0):
        assert len(delta_sharing.load_as_pandas(url, version=version, use_delta_format=True)) == 2
    if feature != "timestampNtz":  # the client does not claim it for changes
        changes = delta_sharing.load_table_changes_as_pandas(
            url, starting_version=0, ending_version=0, use_delta_format=True
        )
        assert len(changes) == 2


@pytest.mark.parametrize("feature", sorted(UNOPENED))
def test_a_table_whose_commits_a_catalogue_keeps_is_not_served(
    standing: Served, tmp_path: Path, feature: str
) -> None:
    with pytest.raises(NotServedError):
        shared(standing, tmp_path / "t", f"c-{feature}", named(feature))


@pytest.mark.parametrize(("reader", "writer"), LEGACY)
def test_versions_that_imply_their_features_go_out_as_they_are(
    standing: Served, tmp_path: Path, reader: int, writer: int
) -> None:
    protocol = {"minReaderVersion": reader, "minWriterVersion": writer}
    url = shared(standing, tmp_path / "t", f"v-{reader}-{writer}", protocol)
    assert len(delta_sharing.load_as_pandas(url, use_delta_format=True)) == 2
    answer = standing.query(
        table=table_url(f"v-{reader}-{writer}"),
        delta_sharing_capabilities="responseformat=delta",
    )
    assert answer.lines[0] == {"protocol": {"deltaProtocol": protocol}}


def test_every_line_tells_the_same_protocol_without_what_is_of_the_log(
    standing: Served, tmp_path: Path
) -> None:
    features = ["v2Checkpoint", "vacuumProtocolCheck", "deletionVectors"]
    writers = [*features, "changeDataFeed", "rowTracking", "inCommitTimestamp", "invariants"]
    protocol = {**named("v2Checkpoint"), "readerFeatures": features, "writerFeatures": writers}
    shared(standing, tmp_path / "t", "every", protocol)
    url = table_url("every")
    asked = {"delta_sharing_capabilities": "responseformat=delta;readerfeatures=deletionvectors"}
    history = "includeHistoricalProtocol=true&includeHistoricalMetadata=true"
    answers = [
        standing.get(url + "/metadata", **asked),
        standing.get(url + "/metadata?version=0", **asked),
        standing.query(table=url, **asked),
        standing.query({"version": 0}, table=url, **asked),
        standing.query(
            {"startingVersion": 0, "includeHistoricalProtocol": True}, table=url, **asked
        ),
        standing.get(f"{url}/changes?startingVersion=0&{history}", **asked),
    ]
    for answer in answers:
        assert answer.status == 200, answer.text
        (told,) = [line["protocol"] for line in answer.lines if "protocol" in line]
        assert told["deltaProtocol"] == {
            "minReaderVersion": 3,
            "minWriterVersion": 7,
            "readerFeatures": ["deletionVectors"],
            "writerFeatures": ["changeDataFeed", "deletionVectors"],
        }
        settings = answer.lines[1]["metaData"]["deltaMetadata"]["configuration"]
        assert settings == {"delta.enableChangeDataFeed": "true"}

"""The wire rules of the Delta Sharing protocol, as released clients hold us to them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, text

from contracts.moment import utc_now
from sharing.control import HEAD, AccessRecord
from sharing.grants import grants, recipients
from tests.support.sharing.served import TABLE, TABLE_URL, districts, write_shared

if TYPE_CHECKING:
    from tests.support.sharing.served import Answer, Served

SHARES = "/delta-sharing/shares"
READ = ["/version", "/metadata", "/changes"]
LISTINGS = [
    SHARES,
    f"{SHARES}/jingshu",
    f"{SHARES}/jingshu/schemas",
    f"{SHARES}/jingshu/schemas/city/tables",
    f"{SHARES}/jingshu/all-tables",
]
DELTA = {"delta_sharing_capabilities": "responseformat=delta;readerfeatures=deletionvectors"}


def error_code(answer: Answer) -> str:
    body = answer.json()
    assert sorted(body) == ["errorCode", "message"]
    return str(body["errorCode"])


@pytest.mark.parametrize("path", LISTINGS)
def test_rule_1_a_list_is_one_line_of_json(standing: Served, path: str) -> None:
    answer = standing.get(path)
    assert answer.status == 200
    assert "\n" not in answer.text
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


def test_listings_name_the_granted_table(standing: Served) -> None:
    shares, share, schemas, tables, everything = (standing.get(path).json() for path in LISTINGS)
    table = {"name": TABLE, "schema": "city", "share": "jingshu"}
    assert shares == {"items": [{"name": "jingshu"}]}
    assert share == {"share": {"name": "jingshu"}}
    assert schemas == {"items": [{"name": "city", "share": "jingshu"}]}
    assert tables == everything == {"items": [table]}


@pytest.mark.parametrize(
    "path", [SHARES.replace("shares", "Shares"), f"{SHARES}/JINGSHU/schemas/CITY/tables"]
)
def test_names_count_without_regard_to_case_but_paths_do_not(standing: Served, path: str) -> None:
    assert standing.get(path).status == (404 if "Shares" in path else 200)


def test_a_table_is_found_in_any_case(standing: Served) -> None:
    path = TABLE_URL.replace("jingshu", "Jingshu").replace("city", "City")
    assert standing.get(path.replace(TABLE, TABLE.upper()) + "/version").status == 200


def test_rule_2_version_metadata_and_query_state_the_table_version(served: Served) -> None:
    answers = [
        served.get(TABLE_URL + "/version"),
        served.send("HEAD", TABLE_URL),
        served.get(TABLE_URL + "/metadata"),
        served.query(),
    ]
    assert [(a.status, a.headers["delta-table-version"]) for a in answers] == [(200, "1")] * 4
    write_shared(served.home, TABLE, districts(("110108", "中关村", 9)), mode="append")
    assert served.get(TABLE_URL + "/version").headers["delta-table-version"] == "2"


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        (None, None),
        ("responseformat=parquet", "responseformat=parquet"),
        ("ResponseFormat=DELTA;ReaderFeatures=x", "responseformat=delta"),
        ("responseformat=delta,parquet;readerfeatures=a,b", "responseformat=parquet"),
        ("readerfeatures=deletionvectors", "responseformat=parquet"),
        (" responseformat = delta ; asyncquery = true ", "responseformat=delta"),
        ("responseformat=delta;novelty", "responseformat=delta"),
    ],
)
def test_rule_3_capabilities_are_read_in_any_case_and_answered_in_lower_case(
    standing: Served, asked: str | None, answered: str | None
) -> None:
    headers = {} if asked is None else {"delta_sharing_capabilities": asked}
    for answer in (standing.get(TABLE_URL + "/metadata", **headers), standing.query(**headers)):
        assert answer.headers.get("delta-sharing-capabilities") == answered
        protocol = answer.lines[0]["protocol"]
        assert ("deltaProtocol" in protocol) == (answered == "responseformat=delta")


def test_an_unknown_response_format_is_refused(standing: Served) -> None:
    answer = standing.query(delta_sharing_capabilities="responseformat=csv")
    assert (answer.status, error_code(answer)) == (400, "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize("response_format", ["parquet", "delta"])
def test_rule_4_the_stream_has_an_end_only_where_asked(
    standing: Served, response_format: str
) -> None:
    asked = f"responseformat={response_format};includeEndStreamAction=TRUE"
    answer = standing.query(delta_sharing_capabilities=asked)
    assert answer.headers["delta-sharing-capabilities"] == (
        f"responseformat={response_format};includeendstreamaction=true"
    )
    *_, last_file, end = answer.lines
    assert (
        end["endStreamAction"]["minUrlExpirationTimestamp"]
        == (last_file["file"]["expirationTimestamp"])
    )
    for capabilities in ("", ";includeendstreamaction=false"):
        unasked = standing.query(
            delta_sharing_capabilities=f"responseformat={response_format}{capabilities}"
        )
        assert "endStreamAction" not in unasked.text
        assert "includeendstreamaction" not in unasked.headers["delta-sharing-capabilities"]


@pytest.mark.parametrize("response_format", ["parquet", "delta"])
def test_rule_5_metadata_is_exactly_two_lines_and_repeats_byte_for_byte(
    standing: Served, response_format: str
) -> None:
    asked = f"responseformat={response_format};includeendstreamaction=true"
    metadata = standing.get(TABLE_URL + "/metadata", delta_sharing_capabilities=asked)
    assert [next(iter(line)) for line in metadata.lines] == ["protocol", "metaData"]
    assert metadata.headers["delta-sharing-capabilities"] == f"responseformat={response_format}"
    queries = [standing.query({}, delta_sharing_capabilities=asked) for _ in range(2)]
    for query in queries:
        assert query.text.split("\n")[:2] == metadata.text.split("\n")
        assert query.headers["content-type"] == "application/x-ndjson; charset=utf-8"


def test_metadata_carries_comments_and_levels_and_no_place(standing: Served) -> None:
    answer = standing.get(TABLE_URL + "/metadata")
    metadata = answer.lines[1]["metaData"]
    fields = json.loads(metadata["schemaString"])["fields"]
    assert [f["name"] for f in fields] == ["district", "street", "elders"]
    assert fields[1]["metadata"] == {"comment": "街道", "jingshu.level": "L2"}
    assert metadata["numFiles"] == 2
    assert metadata["accessModes"] == ["url"]
    assert str(standing.home.root) not in answer.text


def test_rule_6_urls_carry_a_key_that_the_kernel_knows(standing: Served) -> None:
    for line in standing.query(**DELTA).lines[2:]:
        url = line["file"]["deltaSingleAction"]["add"]["path"]
        assert url.startswith(f"http://127.0.0.1:{standing.port}/files/demo/{TABLE}/1/")
        assert [part.split("=")[0] for part in url.split("?")[1].split("&")] == ["sp", "se", "sig"]


def test_rule_8_a_delta_add_has_what_a_delta_log_needs(standing: Served) -> None:
    file = standing.query(**DELTA).lines[-1]["file"]
    add = file["deltaSingleAction"]["add"]
    assert set(add) == {
        "path", "partitionValues", "size", "modificationTime", "dataChange", "stats"
    }  # fmt: skip
    assert add["size"] == file["size"]
    assert (add["dataChange"], add["partitionValues"]) == (True, {})


def test_a_parquet_line_has_statistics_a_client_can_prune_by(standing: Served) -> None:
    stats = [json.loads(line["file"]["stats"]) for line in standing.query().lines[2:]]
    by_rows = {s["numRecords"]: s for s in stats}
    assert by_rows[1] == {
        "numRecords": 1,
        "minValues": {"district": "110105", "street": "建外", "elders": 30},
        "maxValues": {"district": "110105", "street": "建外", "elders": 30},
        "nullCount": {"district": 0, "street": 0, "elders": 0},
    }
    assert by_rows[2]["nullCount"]["elders"] == 1


@pytest.mark.parametrize(
    ("headers", "letters"),
    [
        ({}, 32),
        (DELTA, 64),
        ({"fileidhash": "parquet"}, 32),
        ({"fileidhash": "DELTA"}, 64),
        ({**DELTA, "fileidhash": "parquet"}, 32),
    ],
)
def test_file_ids_are_the_same_in_every_answer_by_the_scheme_asked_for(
    standing: Served, headers: dict[str, str], letters: int
) -> None:
    answers = [standing.query(**headers) for _ in range(2)]
    ids = [[line["file"]["id"] for line in a.lines[2:]] for a in answers]
    assert ids[0] == ids[1]
    assert [len(one) for one in sorted(set(ids[0]))] == [letters, letters]
    assert all(one[:32] in text for one in ids[0] for text in [standing.query().text])


@pytest.mark.parametrize("scheme", ["sha512", "md5", "none", "", "  "])
def test_rule_10_an_unknown_file_id_scheme_is_400(standing: Served, scheme: str) -> None:
    answer = standing.query(fileidhash=scheme)
    assert (answer.status, error_code(answer)) == (400, "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "MALFORMED_REQUEST"),
        (b"[]", "MALFORMED_REQUEST"),
        (b"\xff", "MALFORMED_REQUEST"),
        (b"[" * 100_000, "MALFORMED_REQUEST"),
        (b'{"limitHint": -1}', "INVALID_PARAMETER_VALUE"),
        (b'{"limitHint": 2147483648}', "INVALID_PARAMETER_VALUE"),
        (b'{"limitHint": true}', "INVALID_PARAMETER_VALUE"),
        (b'{"limitHint": "1"}', "INVALID_PARAMETER_VALUE"),
        (b'{"predicateHints": "a = 1"}', "INVALID_PARAMETER_VALUE"),
        (b'{"predicateHints": [1]}', "INVALID_PARAMETER_VALUE"),
        (b'{"jsonPredicateHints": {}}', "INVALID_PARAMETER_VALUE"),
        (b'{"version": 0}', "UNSUPPORTED_OPERATION"),
        (b'{"timestamp": "2026-01-01T00:00:00Z"}', "UNSUPPORTED_OPERATION"),
        (b'{"startingVersion": 0}', "UNSUPPORTED_OPERATION"),
        (b'{"version": "0"}', "UNSUPPORTED_OPERATION"),
        (b'{"version": -1}', "INVALID_PARAMETER_VALUE"),
        (b'{"version": "x3"}', "INVALID_PARAMETER_VALUE"),
        (b'{"version": 1.5}', "INVALID_PARAMETER_VALUE"),
        (b'{"version": true}', "INVALID_PARAMETER_VALUE"),
        (b'{"version": 10000000000000000000}', "INVALID_PARAMETER_VALUE"),
        (b'{"startingVersion": -2}', "INVALID_PARAMETER_VALUE"),
        (b'{"startingVersion": "3", "endingVersion": "x3"}', "INVALID_PARAMETER_VALUE"),
        (b'{"startingVersion": 3, "endingVersion": 2}', "INVALID_PARAMETER_VALUE"),
        (b'{"startingVersion": 2, "version": "3"}', "INVALID_PARAMETER_VALUE"),
        (b'{"timestamp": "2026-01-01"}', "INVALID_PARAMETER_VALUE"),
        (b'{"timestamp": "2026-01-01T00:00:00"}', "INVALID_PARAMETER_VALUE"),
        (b'{"maxFiles": 0}', "INVALID_PARAMETER_VALUE"),
        (b'{"maxFiles": 3000000000}', "INVALID_PARAMETER_VALUE"),
        (b'{"pageToken": "foo"}', "INVALID_PARAMETER_VALUE"),
        (b'{"includeRefreshToken": true, "refreshToken": "foo"}', "INVALID_PARAMETER_VALUE"),
        (b'{"version": 1, "includeRefreshToken": true}', "INVALID_PARAMETER_VALUE"),
        (b'{"pageToken": "foo", "includeRefreshToken": true}', "INVALID_PARAMETER_VALUE"),
        (b'{"version": 0, "timestamp": "2026-01-01T00:00:00Z"}', "INVALID_PARAMETER_VALUE"),
    ],
)
def test_rules_9_and_10_bad_queries_and_time_travel_are_400(
    standing: Served, body: bytes, code: str
) -> None:
    answer = standing.send("POST", TABLE_URL + "/query", body=body)
    assert (answer.status, error_code(answer)) == (400, code)


@pytest.mark.parametrize(
    "path",
    [
        "/version?startingTimestamp=2026-01-01T00:00:00Z",
        "/metadata?version=0",
        "/changes?startingVersion=0",
        "/changes",
    ],
)
def test_rule_10_history_is_not_shared(standing: Served, path: str) -> None:
    answer = standing.get(TABLE_URL + path)
    assert (answer.status, error_code(answer)) == (400, "UNSUPPORTED_OPERATION")


@pytest.mark.parametrize("path", ["/temporary-table-credentials", "/queries/abc"])
def test_operations_that_are_not_offered_are_400(standing: Served, path: str) -> None:
    answer = standing.send("POST", TABLE_URL + path, body=b"{}")
    assert (answer.status, error_code(answer)) == (400, "UNSUPPORTED_OPERATION")


def test_rule_10_the_file_id_scheme_is_echoed_or_refused(standing: Served) -> None:
    assert standing.query(fileidhash="Delta").headers["fileidhash"] == "delta"
    assert "fileidhash" not in standing.query().headers
    answer = standing.query(fileidhash="md5")
    assert (answer.status, error_code(answer)) == (400, "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize("key", ["idempotencyKey", "idempotency_key", "maxFiles", "novelty"])
def test_rule_11_both_spellings_of_the_async_key_and_unknown_fields_pass(
    standing: Served, key: str
) -> None:
    capabilities = "responseformat=parquet;asyncquery=true"
    answer = standing.query({key: "1"}, delta_sharing_capabilities=capabilities)
    assert (answer.status, len(answer.lines)) == (200, 4)
    assert answer.headers["delta-sharing-capabilities"] == "responseformat=parquet"


@pytest.mark.parametrize(
    ("body", "files"),
    [
        ({"limitHint": 0}, 0),
        ({"limitHint": 1}, 1),
        ({"limitHint": 3}, 2),
        ({"limitHint": None}, 2),
        ({"predicateHints": ["district = '0'"]}, 0),
        ({"predicateHints": ["district = '110105'"]}, 1),
        ({"predicateHints": ["'110105' = district", "elders > 29"]}, 1),
        ({"predicateHints": ["elders IS NULL"], "limitHint": 1}, 1),
        ({"predicateHints": ["elders > 29"], "limitHint": 1}, 2),
        ({"predicateHints": ["not sql ("], "limitHint": 1}, 2),
        ({"jsonPredicateHints": "not json", "limitHint": 1}, 2),
        ({"predicateHints": [], "limitHint": 1}, 1),
    ],
)
def test_rule_12_hints_never_lose_a_row_the_client_wants(
    standing: Served, body: object, files: int
) -> None:
    assert len(standing.query(body).lines) == 2 + files


def test_an_empty_body_is_an_empty_query(standing: Served) -> None:
    assert standing.send("POST", TABLE_URL + "/query", body=b"").status == 200


@pytest.mark.parametrize("path", [*READ, "/query", "/temporary-table-credentials"])
def test_rule_14_what_is_not_granted_answers_like_what_is_not_there(
    served: Served, path: str
) -> None:
    write_shared(served.home, "secret__plan", districts(("110101", "景山", 1)))
    method = "GET" if path in READ else "POST"
    answers = [
        served.send(method, TABLE_URL.replace(TABLE, name) + path)
        for name in ("secret__plan", "nothing__here")
    ]
    assert [a.status for a in answers] == [404, 404]
    assert answers[0].body == answers[1].body
    assert error_code(answers[0]) == "RESOURCE_DOES_NOT_EXIST"
    assert "secret__plan" not in served.get(f"{SHARES}/jingshu/all-tables").text


def test_a_recipient_without_grants_sees_an_empty_server(standing: Served) -> None:
    recipients.create_recipient(standing.control, "other", "test")
    token = recipients.issue_profile(standing.control, "other").token
    assert standing.get(SHARES, token=token).json() == {"items": []}
    for path in LISTINGS[1:]:
        answer = standing.get(path, token=token)
        assert (answer.status, error_code(answer)) == (404, "RESOURCE_DOES_NOT_EXIST")


def test_rule_14_a_revoked_table_is_404_at_the_next_request(served: Served) -> None:
    assert served.query().status == 200
    grants.revoke(served.control, "demo", TABLE, actor="test")
    assert (served.query().status, served.get(TABLE_URL + "/version").status) == (404, 404)
    assert served.get(SHARES).json() == {"items": []}


@pytest.mark.parametrize("path", [*LISTINGS, *(TABLE_URL + p for p in READ)])
@pytest.mark.parametrize(
    "token", [None, "", "unknown", "jst_" + "a" * 43, "令牌".encode().decode("latin-1")]
)
def test_without_a_good_token_everything_is_401(
    standing: Served, path: str, token: str | None
) -> None:
    answer = standing.get(path, token=token)
    assert (answer.status, error_code(answer)) == (401, "UNAUTHENTICATED")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_an_expired_token_is_401(served: Served) -> None:
    long_ago = utc_now() - recipients.TOKEN_LIFE - timedelta(seconds=1)
    token = recipients.issue_profile(served.control, "demo", at=long_ago).token
    assert served.get(SHARES, token=token).status == 401


@pytest.mark.parametrize("scheme", ["Basic", "Token", "Bearerx"])
def test_another_scheme_is_401(standing: Served, scheme: str) -> None:
    answer = standing.get(SHARES, token=None, Authorization=f"{scheme} {standing.token}")
    assert answer.status == 401


def test_the_scheme_is_read_in_any_case(standing: Served) -> None:
    assert standing.get(SHARES, token=None, Authorization=f"bearer {standing.token}").status == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/delta-sharing", 404),
        ("GET", "/delta-sharing/shares/", 404),
        ("GET", "/delta-sharing/../control.db", 404),
        ("DELETE", SHARES, 405),
        ("GET", TABLE_URL + "/query", 405),
        ("GET", TABLE_URL, 405),
    ],
)
def test_rule_9_what_the_router_refuses_is_json_too(
    standing: Served, method: str, path: str, status: int
) -> None:
    answer = standing.send(method, path)
    assert answer.status == status
    error_code(answer)


def test_rule_9_an_internal_error_says_nothing(served: Served) -> None:
    with served.control.write() as session:
        session.execute(text("DROP TABLE share_grants"))
    answer = served.get(SHARES)
    assert (answer.status, error_code(answer)) == (500, "INTERNAL_ERROR")
    name = answer.headers["x-request-id"]
    assert answer.json()["message"] == f"The request failed here; ask for it by its id {name}."


def test_a_record_says_from_where_how_long_how_much_and_its_answer_by_which_name(
    served: Served,
) -> None:
    url = served.file_urls()[0]
    answers = [
        served.get(SHARES),
        served.open_url(url),
        served.open_url(url, "HEAD"),
        served.get(SHARES, token="wrong"),
        served.send("GET", "/nowhere", headers={"x-request-id": "of the client's choosing"}),
    ]
    with served.control.read() as session:
        by_name = {r.request_id: r for r in session.scalars(select(AccessRecord))}
    for answer in answers:
        record = by_name[answer.headers["x-request-id"]]
        assert (record.status, record.address) == (answer.status, "127.0.0.1")
        assert record.bytes == len(answer.body)
        assert record.duration_ms is not None
        assert 0 <= record.duration_ms < 60_000


def test_without_a_record_there_is_no_data(served: Served) -> None:
    url = served.file_urls()[0]
    with served.control.write() as session:
        session.execute(text("DROP TABLE share_requests"))
    for answer in (served.get(SHARES), served.query(), served.open_url(url)):
        assert (answer.status, b"PAR1" in answer.body) == (500, False)
        assert "jingshu" not in answer.text


def test_a_body_over_the_limit_is_413_declared_or_not(standing: Served) -> None:
    huge = b" " * (1024 * 1024 + 1)
    declared = standing.send("POST", TABLE_URL + "/query", body=huge)
    chunked = standing.send(
        "POST",
        TABLE_URL + "/query",
        headers={"Transfer-Encoding": "chunked"},
        body=b"%x\r\n%s\r\n0\r\n\r\n" % (len(huge), huge),
    )
    for answer in (declared, chunked):
        assert (answer.status, error_code(answer)) == (413, "MALFORMED_REQUEST")


def test_a_body_at_the_limit_passes(standing: Served) -> None:
    body = b"{}" + b" " * (1024 * 1024 - 2)
    assert standing.send("POST", TABLE_URL + "/query", body=body).status == 200


def test_headers_over_the_limit_are_refused(standing: Served) -> None:
    assert standing.get(SHARES, X_Long="a" * 20_000).status == 431
    assert standing.get(SHARES + "?pageToken=" + "a" * 20_000).status == 431
    assert standing.get(SHARES, X_Long="a" * 10_000).status == 200


def test_each_request_leaves_one_record(served: Served) -> None:
    served.get(SHARES, token=None)
    served.query()
    served.open_url(served.file_urls()[0])
    served.get("/healthz", token=None)
    with served.control.read() as session:
        rows = session.execute(
            select(
                AccessRecord.recipient,
                AccessRecord.method,
                AccessRecord.status,
                AccessRecord.version,
                AccessRecord.files,
            ).order_by(AccessRecord.id)
        ).all()
        paths = session.scalars(select(AccessRecord.path).order_by(AccessRecord.id)).all()
    assert [tuple(row) for row in rows] == [
        (None, "GET", 401, None, 0),
        ("demo", "POST", 200, 1, 2),
        ("demo", "POST", 200, 1, 2),
        ("demo", "GET", 200, 1, 1),
    ]
    assert paths[0] == SHARES
    assert not any("sig" in path or "?" in path for path in paths)


def test_a_recorded_path_stays_one_line(served: Served) -> None:
    served.get(SHARES + "/a%0Ab")
    with served.control.read() as session:
        assert session.scalars(select(AccessRecord.path)).one() == SHARES + "/a%0Ab"


def test_health_needs_no_token(standing: Served) -> None:
    assert standing.get("/healthz", token=None).json() == {"status": "ok", "schema": HEAD}

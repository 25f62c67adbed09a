"""What the generated pages say of names that do not explain themselves where they are declared.

A name without a meaning is an error, and so is a meaning of a name that is gone: both are found by
the test that compares the pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from contracts.words import Words
from infra.reference.markdown import UndescribedError

if TYPE_CHECKING:
    from collections.abc import Mapping

SYSTEM_COLUMNS: Final[Mapping[str, str]] = {
    "_source_line": "line of the file where the row starts, from 1; row number in a workbook",
    "_row_error": "why the row does not have the shape of its header; null where it has",
    "_extra": "columns that the contract does not have, as JSON",
    "_batch_id": "the batch; bronze and quarantine are partitioned by it",
    "_business_date": "the date that the delivery is about",
    "_reasons": "every rule that the row broke: rule id, column, message",
    "_status": "`open`; `superseded` or `withdrawn` where its batch is",
}

#: Fields of what contracts are read into, by the name of the type.
FIELDS: Final[Mapping[str, Mapping[str, str]]] = {
    "Load": {
        "mode": "how a delivery changes its table",
        "period": "what `replace_period` replaces",
        "delete_marker": "with `merge_key`: the column whose value says that a row is withdrawn",
    },
    "DeleteMarker": {
        "column": "a column of the contract",
        "values": "what it says of a withdrawn row",
    },
    "Export": {
        "encoding": "`auto` asks the bytes",
        "delimiter": "between the cells of a CSV file",
        "null_tokens": "texts that stand for an empty cell",
        "manifest": "`required`: the file counts once `<file>.manifest.json` is beside it",
        "drift": "`evolve` accepts columns that the contract does not have, `freeze` refuses them",
        "aliases": "other headers of a column: `{header in the file: column name}`",
        "sheet": "the sheet of a workbook; without it, the first that is shown",
    },
    "Lowering": {
        "function": "the registered function that lowers the level",
        "approval": "its id in `approvals.yaml`",
        "approved_by": "who approved it, as the register says",
        "approved_on": "when, as the register says",
        "reason": "why the level may be lower",
    },
    "Release": {
        "mask": "the mask by which the column leaves its owner; each takes arguments of its own",
    },
    "Catalogue": {
        "code": "code of the entry in the catalogue of government data",
        "format": "format that the catalogue states",
        "cycle": "how often the data is updated",
        "source_dept": "the body that the data comes from",
    },
    "Sharing": {
        "attribute": "whether and how it is shared",
        "scope": "who may have it",
        "purposes": "what it may be used for",
        "mode": "how it is handed over",
        "open": "whether it is open to the public",
        "legal_basis": "the law and article that `not_shared` rests on",
    },
    "Grading": {
        "gb43697": "grade of GB/T 43697-2024, at least what the columns come to",
        "level": "level of the table, at least what the columns come to",
        "personal_information": "whether it holds personal information",
        "sensitive": "whether some of that is sensitive",
        "pia_id": "number of the impact assessment on personal information",
        "secrecy_review": "number of the secrecy review",
    },
    "Thresholds": {
        "bad_rows_percent": "share of bad rows, in percent, above which the batch stops",
        "on_fail": "what then happens: a person decides (`hold`), or it is turned down (`reject`)",
    },
    "Product": {
        "inputs": "ids of the contracts that the SQL reads",
        "sql": "the SQL file, beside the contract",
        "k": "smallest group that is shown",
        "policies": "one shared table each",
        "totals": "sums that are published beside the cells",
        "returns": "the districts' own rows, back to each of them (回流)",
    },
    "Policy": {
        "name": "ends the name of the shared table: `<product>__<name>`",
        "columns": "the columns that are shared, each with its mask; others are dropped",
        "rows": "SQL predicate of the rows that are shared",
        "quasi_identifiers": "columns that together make a group",
        "sensitive": "columns whose values must differ within a group",
    },
    "Total": {
        "column": "the column that is summed",
        "by": "the columns that it is summed by",
        "total": "the column that shows the sum; without it, the sum is published elsewhere",
    },
    "Return": {
        "column": "a division code; a district gets the rows whose code begins with its own",
        "columns": "the columns that are returned, each with its mask",
        "rows": "SQL predicate of the rows that are returned",
        "k": "smallest group; default the product's",
        "l": "distinct sensitive values a group",
        "quasi_identifiers": "columns that together make a group",
        "sensitive": "columns whose values must differ within a group",
    },
    "Threshold": {
        "bad_percent": "share of bad rows, in percent, above which the rule's result is a failure",
        "severity": "how much that weighs",
    },
    "Provider": {
        "id": "what `servers[].server` names",
        "name": "its Chinese name",
        "name_en": "its English name",
        "kind": "a bureau or a district of the city, or a supplier outside",
        "code": "its code",
        "cdo": "user name of its chief data officer",
        "legal": "what the law takes it for; a bureau or district is a state organ by default",
    },
    "Term": {
        "business_name": "the Chinese name that every contract uses",
        "description": "what the column holds",
        "type": "logical type",
        "physical_type": "type in the tables",
        "level": "the least level of the column",
        "rule": "the named rule that every contract uses",
        "release": "the mask by which it usually leaves its owner",
        "quasi_identifier": "what it tells of a person without naming one",
    },
    "Approval": {
        "id": "what a `lowering` names",
        "function": "the function that was approved",
        "column": "`<contract id>.<column>`",
        "from_level": "level of the inputs",
        "to_level": "level of the column",
        "approver": "who approved it",
        "approved_on": "when",
        "reason": "why",
    },
}
#: Custom properties of a column whose value is no mapping.
COLUMN_PROPERTIES: Final[Mapping[str, str]] = {
    "rule": "`name` or `{name: {arguments}}` of a [named rule](#named-rules)",
    "enum": "a list of the texts that may stand there; or the standard's own `enum`",
    "release": "how the column leaves its owner: [release](#release)",
    "lowering": "why a product's column is below its inputs: [lowering](#lowering)",
    "quasi_identifier": "what the column tells of a person without naming one",
    "holds": "personal information that is meant to be in it, beside what its rule names",
}
MASKS: Final[Mapping[str, str]] = {
    "drop": "leave the column out",
    "keep": "as it is",
    "prefix": "the first `length` characters",
    "partial": "stars but for `keep_first` and `keep_last` characters",
    "round_coordinate": "rounded to steps of `to`",
    "truncate_date": "cut `to` month, quarter or year",
    "generalise": "the band of width `step` that a number lies in",
    "hmac_sm3": "a pseudonym by the key of `purpose`: equal within a purpose only",
    "sm4": "encrypted for `bureau`, whose key opens it",
}
FACETS: Final[Mapping[str, str]] = {
    "catalog": "that the table is a Delta table of this city's lake",
    "columnLineage": "for each column, the input columns that its value or its rows depend on",
    "dataQualityAssertions": "every check with its result: counts, never a value",
    "dataQualityMetrics": "rows of the output",
    "datasetType": "`TABLE` or `FILE`",
    "documentation": "title and purpose of the contract",
    "errorMessage": "status and reason of a run that made nothing visible",
    "jingshu_cpu": "CPU counters of the run's processes, at its start and end; runs share them out",
    "jobType": "the stage",
    "lifecycleStateChange": "that the table was created, or rows of it were replaced",
    "nominalTime": "the business date, from midnight to midnight in city time",
    "outputStatistics": "rows that the run wrote",
    "ownership": "body and persons of the contract, as `team:` and `user:`",
    "parent": "the Airflow task that called the run, and the DAG run as root",
    "processing_engine": "pyarrow, Spark or delta-rs, with its version",
    "schema": "columns with type and description",
    "sourceCodeLocation": "id, version and file of the contract",
    "sql": "the product's SQL",
    "tags": "tags, as below",
    "version": "version of the Delta table; of an export, the batch",
}
TAGS: Final[Mapping[str, str]] = {
    "jingshu.batch_id": "the batch",
    "jingshu.business_date": "the business date",
    "jingshu.column_level.<value>": "level of a column",
    "jingshu.column_tag.<value>": "a tag of a column in the contract",
    "jingshu.contract": "contract, as `<id>@<version>`",
    "jingshu.file": "name of the provider's file",
    "jingshu.gb43697.<value>": "grade of the table by GB/T 43697-2024",
    "jingshu.level.<value>": "level of the table",
    "jingshu.origin": "`real` or `simulated`, of the run",
    "jingshu.origin.<value>": "`real` or `simulated`, of the data set",
    "jingshu.personal_information.<value>": "whether the table holds personal information",
    "jingshu.status": "status in which the run left its batch or date",
    "jingshu.tag.<value>": "a tag of the contract",
}
LEAVES: Final[Mapping[str, str]] = {
    "contract": "a version of a contract, as it was first used",
    "delivery": "a state of a delivery",
    "refusal": "a delivery with secret or core data was refused",
    "landing": "a batch landed: its file, by size and digests, and its rows",
    "verdict": "what the audit of a batch came to",
    "publication": "a batch was published, or its quarantined rows were rewritten",
    "withdrawal": "a published batch was taken back",
    "level": "a column's level was lowered, by which approval",
    "build": "a date of a product was built, from which versions",
    "share": "a date of a shared table was written",
    "table": "a table of others was added to a share, or removed",
    "grant": "a recipient may read a shared table",
    "revoke": "a grant ended",
    "reads": "an hour's requests for a table, by number and digest, or their removal",
    "request": "a step of a request for data",
    "answer": "a decision on a request",
    "correction": "an issue that a recipient raised, or its answer",
    "destruction": "a recipient proved that it disposed of the data",
    "rights": "a right in a table was registered, changed or ended",
    "trade": "a listing, an order or a refund, with each party's part",
    "asset": "a closed month of the books of an earlier version",
    "crossborder": "a decision on data going abroad, or what it rests on: party, paper, list",
    "catalogue": "a step of an entry in the register of the catalogue",
    "recipient": "a recipient as it is known",
    "invitation": "an activation link was issued or used",
    "token": "a bearer token was issued or ended; by its digest only",
    "account": "an account of the web pages was made or changed",
    "session": "an account logged in or out",
    "audit": "a row of the web pages' audit trail",
    "adoption": "rows of an earlier version were taken over into the log",
    "calendar": "a year's working days were added",
    "cost": "a cost in a body's books",
    "closing": "a month of a body's books was closed",
    "approval": "that another person may book a late cost",
    "measure": "up to when machine time was shared out among runs",
    "opening": "an auditor opened a sealed original",
}


def meaning(of: Mapping[str, str], name: str, what: str) -> str:
    """Return what a name means; UndescribedError says where to add it."""
    if name not in of:
        raise UndescribedError(
            Words(
                f"没有写明 {name!r}（{what}）的含义。",
                f"Nothing says what the {what} {name!r} means.",
            ),
            Words(
                "请在 infra/reference/meanings.py 里说明。",
                "Describe it in infra/reference/meanings.py.",
            ),
        )
    return of[name]

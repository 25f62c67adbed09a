"""What each environment variable means: settings for people, and what parts tell each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Variable(NamedTuple):
    """One variable: what it is without a value, and what it means."""

    default: str
    meaning: str


@dataclass(frozen=True)
class Group:
    """Variables that belong together."""

    title: str
    variables: Mapping[str, Variable]
    about: str = ""


GROUPS: Final = (
    Group(
        "Where things are",
        {
            "JINGSHU_HOME": Variable("`var` of the repository", "folder that holds all state"),
            "JINGSHU_CONTRACTS": Variable("the packaged tree", "folder of the contracts tree"),
            "JINGSHU_DROP": Variable(
                "`sandbox/drop` of `JINGSHU_HOME`", "drop folder that providers deliver into"
            ),
            "JINGSHU_CONTROL_URL": Variable(
                "`control.db` of `JINGSHU_HOME`",
                "SQLAlchemy URL of the control database, say a PostgreSQL",
            ),
        },
    ),
    Group(
        "Language",
        {
            "JINGSHU_LANG": Variable(
                "the locale's language",
                "what commands speak: `zh`, `en` or `both`; without it the first of `LC_ALL`,"
                " `LC_MESSAGES`, `LANG` that is set decides, and where it names neither Chinese nor"
                " English, both are shown",
            ),
        },
        "A page of the portal is in the language that its reader chose there.",
    ),
    Group(
        "Gateway and web pages",
        {
            "JINGSHU_BIND": Variable("`127.0.0.1`", "IP address that both listen on"),
            "JINGSHU_GATEWAY_PORT": Variable("`8791`", "port of the gateway"),
            "JINGSHU_WEB_PORT": Variable("`8792`", "port of the web pages"),
            "JINGSHU_GATEWAY_URL": Variable(
                "`http://127.0.0.1:8791`", "public address of the gateway, without a path"
            ),
            "JINGSHU_WEB_URL": Variable(
                "`http://127.0.0.1:8792`",
                "public address of the web pages; with https, cookies go by TLS only",
            ),
            "JINGSHU_TRUSTED_PROXIES": Variable(
                "none",
                "addresses and networks, with commas between, whose `X-Forwarded-For` is believed",
            ),
            "JINGSHU_URL_LIFE_S": Variable(
                "`3600`", "seconds that the URL of a file lives, from 1200 to 86400"
            ),
            "JINGSHU_BUCKET_URLS": Variable(
                "`gateway`",
                "who serves the files of tables in a bucket: `gateway`, or the store by `presigned`"
                " URLs, which are not checked against the grant when they are opened",
            ),
            "JINGSHU_RECORDS_DAYS": Variable("`200`", "days that records of requests are kept"),
            "JINGSHU_RECORDS_MOST": Variable("`10000000`", "records of requests that are kept"),
        },
        "[Behind a reverse proxy](../how-to/behind-a-proxy.md) shows most of them at work.",
    ),
    Group(
        "Keys and evidence",
        {
            "JINGSHU_KEY_PROVIDER": Variable(
                "the folder `keys` of `JINGSHU_HOME`",
                "`module:function` that returns a provider of keys, say for a KMS or Vault",
            ),
            "JINGSHU_WITNESSES": Variable(
                "`keys/witnesses` of `JINGSHU_HOME`",
                "file that pins the log's witnesses, a line `witness NAME VKEY URL` each",
            ),
        },
    ),
    Group(
        "Lineage",
        {
            "JINGSHU_NAMESPACE": Variable(
                "`jingshu://<city>`", "OpenLineage namespace of tables and jobs"
            ),
            "OPENLINEAGE_URL": Variable("none", "endpoint that events are sent to"),
            "OPENLINEAGE_ENDPOINT": Variable("`api/v1/lineage`", "path at that address"),
            "OPENLINEAGE_API_KEY": Variable("none", "bearer token of the endpoint"),
            "OPENLINEAGE_DISABLED": Variable("`false`", "`true`: `run` and `up` send nothing"),
        },
    ),
    Group(
        "Spark and Java",
        {
            "SPARK_REMOTE": Variable(
                "the server of `up`, else one that is started and stopped",
                "address of a Spark Connect server, as `sc://HOST:PORT`",
            ),
            "JINGSHU_REFINE_HERE_ROWS": Variable(
                "`1000000`", "rows up to which a task refines a batch itself, without Spark"
            ),
            "JAVA_HOME": Variable("the one that set-up found", "JDK 17 or newer"),
            "JINGSHU_JARS": Variable("`.venv/jars`, set by `./jingshu`", "folder of Delta's jars"),
            "JINGSHU_JAVA_OPTIONS": Variable(
                "`-XX:TieredStopAtLevel=1`",
                "options of Spark's JVM; the default starts sooner and runs long work slower",
            ),
        },
    ),
    Group(
        "Set-up, tests and errors",
        {
            "JINGSHU_PYTHON": Variable(
                "the first of `python3.11` to `python3.14`, `python3`",
                "Python that the virtual environment is made with",
            ),
            "JINGSHU_IVY_SETTINGS": Variable(
                "Maven Central", "Ivy settings file by which Delta's jars are fetched"
            ),
            "JINGSHU_CHROMIUM": Variable("`chromium` on the path", "browser of the page tests"),
            "JINGSHU_DEBUG": Variable(
                "none", "`1`: show the traceback of an error, which may quote data"
            ),
            "XDG_CACHE_HOME": Variable(
                "`~/.cache`", "folder that keeps the programs built for the chain"
            ),
        },
    ),
    Group(
        "Between parts of Jingshu",
        {
            "GX_ANALYTICS_ENABLED": Variable("`false`", "keeps Great Expectations off the network"),
            "JINGSHU_AIRFLOW_DATABASE": Variable("", "Airflow's database, for its upkeep"),
            "JINGSHU_BENCH_DAGS": Variable("", "number of empty DAGs that a benchmark makes"),
            "JINGSHU_PARENT_JOB": Variable("", "lineage: the task's job"),
            "JINGSHU_PARENT_NAMESPACE": Variable("", "lineage: the namespace of that job"),
            "JINGSHU_PARENT_RUN": Variable("", "lineage: the task's run"),
            "JINGSHU_PREPARED": Variable("", "the launcher's sign that set-up has run"),
            "JINGSHU_ROOT_JOB": Variable("", "lineage: the DAG"),
            "JINGSHU_ROOT_NAMESPACE": Variable("", "lineage: the namespace of that job"),
            "JINGSHU_ROOT_RUN": Variable("", "lineage: the DAG run"),
            "JINGSHU_SCHEDULE": Variable(
                "`cron`", "`cron` under `up`: the clock starts runs; `manual` under `run`"
            ),
            "PYTHONPATH": Variable("", "where Spark's workers find the code"),
        },
        "Set by one part for another. Do not set them.",
    ),
)

"""What our data sets are called outside: one namespace a city, names as ``<layer>.<table>``.

Inside, a table is ``silver/health__visit`` in ``jingshu``, an export ``visit`` in ``file://health``.
Readers of OpenLineage take names apart, each in its own way, so events carry other ones:

- OpenMetadata's connector takes the first symlink's name, or the data set's, splits it at dots, and
  calls the last two parts schema and table; a name without a dot it refuses.
- DataHub makes the platform of the namespace's scheme. Of ``file://`` it keeps the path only, so
  that 16 districts' exports of one name would be one; a symlink of type TABLE moves the table to
  the platform ``hive``, without its namespace.
- Marquez keeps both as they are; two cities in one namespace are one city to it.

So there are no symlinks, and the namespace is the city's: ``jingshu://<city>``.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, get_args

from contracts.city import read_city
from contracts.errors import UsageError
from contracts.layout import Layer, contracts_root
from contracts.words import Words
from lineage.columns import DECLARED, NAMESPACE, export_namespace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.layout import Home

#: Who says so: a name, not an address, since every city runs its own.
PRODUCER: Final = "urn:jingshu:lineage"
#: How the name of a file with others' events begins.
IMPORTED: Final = "imported-"
_LAYERS: Final = frozenset((*get_args(Layer), "reference"))
#: The namespace of a file by its path, as the integrations write it.
_FILES: Final = ("file", "file:", "file://")
_EXPORT: Final = "export"
_CONSTANTS: Final = "declared.constants"
#: What Marquez takes as a namespace.
_NAMESPACE: Final = re.compile(r"[A-Za-z0-9:;=/+._@-]{1,1024}")


def city_namespace() -> str:
    """Return the namespace of this city's tables and jobs.

    ``JINGSHU_NAMESPACE`` names it; else it is ``jingshu://<city>`` by the ``city`` of the tree's
    ``providers.yaml``; a tree that names none has ``jingshu``, like every other that names none.

    Raises:
        UsageError: the variable holds what is no namespace.
    """
    named = os.environ.get("JINGSHU_NAMESPACE")
    if named:
        if not _NAMESPACE.fullmatch(named):
            raise UsageError(
                Words(
                    f"JINGSHU_NAMESPACE 为 {named!r}，不是命名空间。",
                    f"JINGSHU_NAMESPACE is {named!r}, which is no namespace.",
                ),
                Words(
                    "请用字母、数字和 : ; = / + . _ @ - 书写（例如 jingshu://beijing）。",
                    "Write it of letters, digits and : ; = / + . _ @ - (example:"
                    " jingshu://beijing).",
                ),
            )
        return named
    city = read_city(contracts_root())
    return f"{NAMESPACE}://{city}" if city else NAMESPACE


def outside(city: str, namespace: str, name: str) -> tuple[str, str]:
    """Return the namespace and name under which events tell of a data set of ours."""
    if namespace == NAMESPACE:
        return city, _CONSTANTS if name == DECLARED else name.replace("/", ".", 1)
    provider = namespace.removeprefix(export_namespace(""))
    return city, f"{_EXPORT}.{provider}__{name}"


@dataclass(frozen=True)
class Own:
    """What is this city's in events: namespaces, and the folder of the lake.

    Engines that read a table by its path (Spark, Airflow's assets) name it by that path.
    """

    namespaces: frozenset[str] = frozenset((NAMESPACE,))
    lake: str = ""

    @classmethod
    def of(cls, home: Home) -> Own:
        """Return what is this city's by the home and the settings in force."""
        return cls(frozenset((NAMESPACE, city_namespace())), str(home.root / "lake"))

    def in_event(self, event: Mapping[str, Any], file: str) -> Own:
        """Return what is this city's in one event of a file.

        An event that this Jingshu wrote names the namespace itself, whatever the city is called
        now; of one that was imported only the present name counts.
        """
        if event.get("producer") != PRODUCER or is_imported(file):
            return self
        return replace(self, namespaces=self.namespaces | {str(event["job"]["namespace"])})

    def inside(self, namespace: str, name: str) -> tuple[str, str]:
        """Return what ``outside`` was given; what is none of ours, or older, stays as it is."""
        if self.lake and namespace in _FILES and name.startswith(f"{self.lake}/"):
            layer, _, table = name.removeprefix(f"{self.lake}/").partition("/")
            return (NAMESPACE, f"{layer}/{table}") if layer in _LAYERS else (namespace, name)
        if namespace not in self.namespaces:
            return namespace, name
        if name == _CONSTANTS:
            return NAMESPACE, DECLARED
        layer, _, table = name.partition(".")
        if layer == _EXPORT and "__" in table:
            provider, _, dataset = table.partition("__")
            return export_namespace(provider), dataset
        if layer in _LAYERS and table:
            return NAMESPACE, f"{layer}/{table}"
        return NAMESPACE, name


def is_imported(file: str) -> bool:
    """Tell whether a file of events is from others."""
    return file.startswith(IMPORTED)

"""How the data of a delivered request is read: its table, its profile file, and code to copy."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from contracts.errors import JingshuError
from sharing.requests.parties import table_of
from sharing.tables.names import Catalog

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.tree import Tree
    from sharing.control import Control
    from sharing.requests.states import State
    from sharing.requests.tables import Ask

#: The states in which the recipient's grant is in force.
_OPEN: Final[tuple[State, ...]] = ("delivered", "in_use")
_LOAD: Final = 'frame = delta_sharing.load_as_pandas("{url}")\n'
#: Tool → code. Each asks the gateway by the released client, whatever it goes on with.
_CODE: Final[Mapping[str, str]] = {
    "pandas": f"import delta_sharing\n\n{_LOAD}print(frame.head())\n",
    "Polars": "import delta_sharing\nimport polars\n\n"
    f"{_LOAD}print(polars.from_pandas(frame).head())\n",
    "DuckDB": "import delta_sharing\nimport duckdb\n\n"
    f'{_LOAD}print(duckdb.sql("FROM frame LIMIT 5"))\n',
}


@dataclass(frozen=True)
class Reading:
    """What a recipient needs: the table's full name, the command for its profile, and code."""

    table: str
    profile_command: str
    code: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return asdict(self)


def reading_of(control: Control, tree: Tree, ask: Ask) -> Reading | None:
    """Return how a request's data is read; None while it is not, or its table is there no more."""
    if ask.state not in _OPEN:
        return None
    try:
        table = str(Catalog(control).find(table_of(ask.id, ask.asked, tree)))
    except JingshuError:
        return None
    file = f"{ask.asked.recipient}.share"
    return Reading(
        table,
        f"./jingshu share profile {ask.asked.recipient} --out {file}",
        {tool: code.format(url=f"{file}#{table}") for tool, code in _CODE.items()},
    )

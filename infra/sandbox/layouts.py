"""How a provider's export looks: the layout of its contract, and habits that no contract says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import date

    from contracts.model import Contract, Server
    from infra.sandbox.planting import Row

#: A marking that no data exchange may carry: state secrets are not government data (Decree 809).
SECRET_MARK: Final = "机密★10年"  # noqa: S105 - a marking, no password


@dataclass(frozen=True)
class Habit:
    """What a provider's export does that no contract says."""

    has_bom: bool = False
    newline: str = "\r\n"
    order: tuple[str, ...] = ()
    title: str = ""
    blank_columns: int = 0
    file_stem: str = ""


HABITS: Final = {
    "transport/link_speed": Habit(has_bom=True),
    "emergency/depot_stock": Habit(newline="\n"),
    "chaoyang/grid_case": Habit(
        has_bom=True,
        newline="\n",
        order=("category_code", "status", "case_id", "street_code", "lat", "lon"),
        title="朝阳区网格案件导出",
    ),
    "x_heat/energy_day": Habit(title="热力用能日报"),
    "x_gas/energy_day": Habit(has_bom=True),
    "water/terminal": Habit(has_bom=True),
    "agri/village": Habit(title="行政村基本情况表"),
    "econ_it/compute_node": Habit(title="算力集群台账"),
    "sci_tech/unicorn": Habit(title="独角兽企业名单"),
    "culture_tour/scenic_crowd": Habit(title="景区客流日报"),
    "defense_mob/shelter": Habit(title="人防工程台账"),
    "emergency/indicator": Habit(has_bom=True),
    "shijingshan/grid_case": Habit(title="石景山区网格案件导出"),
    "mentougou/grid_case": Habit(title="门头沟区网格案件导出"),
    "changping/grid_case": Habit(title="昌平区网格案件导出"),
    "huairou/grid_case": Habit(title="怀柔区网格案件导出"),
    "haidian/grid_case": Habit(has_bom=True),
    "tongzhou/grid_case": Habit(has_bom=True),
    "drug/pharmacy": Habit(has_bom=True),
    "sasac/state_firm_month": Habit(title="市管国有企业财务快报"),
    "stats/street_population": Habit(title="北京市街道（乡镇）常住人口"),
    "disabled/certificate": Habit(has_bom=True),
    "hpf/account_month": Habit(newline="\n"),
    "sport/venue": Habit(file_stem="体育场馆名录"),
    "civil/care_home": Habit(title="北京市养老服务机构名录"),
    "gov_data/service_item": Habit(has_bom=True),
    "edu/student": Habit(newline="\n"),
    "police/signal_event": Habit(newline="\n"),
    "econ_it/innovation_base": Habit(file_stem="小微企业示范基地名单"),
    "econ_it/integration_pilot": Habit(blank_columns=3),
}


@dataclass(frozen=True)
class Layout:
    """How one file is to look: the contract's server, the provider's habit, and what is wrong."""

    contract: Contract
    server: Server
    habit: Habit
    is_drifted: bool = False
    is_secret: bool = False

    @classmethod
    def of(cls, contract: Contract, provider: str, *, drifted: bool, secret: bool) -> Layout:
        """Return the layout of one provider's export."""
        habit = HABITS.get(f"{provider}/{contract.dataset}", Habit())
        return cls(contract, contract.server(provider), habit, drifted, secret)

    @property
    def columns(self) -> tuple[str, ...]:
        """The contract's column names in the order of the file."""
        names = [c.name for c in self.contract.columns]
        return (*self.habit.order, *(n for n in names if n not in self.habit.order))

    @property
    def headers(self) -> list[str]:
        """The header cells: the contract's headers, the provider's aliases, blank columns."""
        alias = {name: header for header, name in self.server.export.aliases.items()}
        own = {c.name: alias.get(c.name, c.header) for c in self.contract.columns}
        headers = [own[n] for n in self.columns]
        if self.is_drifted:
            # A required column comes under a name that nobody agreed on.
            required = next(c.name for c in self.contract.columns[1:] if c.required)
            headers[self.columns.index(required)] += "（新版）"
        return headers + [""] * self.habit.blank_columns

    def above(self, day: date) -> list[list[str]]:
        """Return the rows above the header; a secret file says so in its first."""
        rows = [[""] for _ in range(self.server.export.header_row - 1)]
        if rows:
            rows[0] = [f"{self.habit.title}（{day:%Y-%m-%d}）"]
        if self.is_secret:
            rows.insert(0, [self.secret])
        return rows

    @property
    def secret(self) -> str:
        """What a secret file says of itself."""
        return f"{SECRET_MARK} {self.contract.name}"

    @property
    def encoding(self) -> str:
        """The encoding of a text file: UTF-8, unless the contract says otherwise."""
        return "gb18030" if self.server.export.encoding == "gb18030" else "utf-8"

    def encoded(self, text: str) -> bytes:
        """Return a text file's bytes, with the provider's byte-order mark."""
        has_bom = self.habit.has_bom and self.encoding == "utf-8"
        return (b"\xef\xbb\xbf" if has_bom else b"") + text.encode(self.encoding)

    def cells(self, row: Row) -> list[str]:
        """Return a row's cells in file order, bent where it is to have no shape."""
        cells = [row.cells[n] for n in self.columns] + [""] * self.habit.blank_columns
        if row.extra > 0:
            return cells + ["多出的一列"] * row.extra
        # Blank columns carry nothing: a row that lacks only those lacks nothing.
        return cells[: len(self.columns) + row.extra] if row.extra else cells

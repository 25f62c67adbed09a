"""The whole local stack of one home: start it, keep it alive, say what runs, stop it."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from contracts.layout import ROOT, Home
from contracts.requested import city_tree
from contracts.words import Words, text
from infra.stack import processes, spark
from infra.stack.airflow import (
    COMPONENTS,
    PREFERRED_PORT,
    USER,
    Airflow,
    Component,
    Schedule,
    migrate,
    password,
)
from infra.stack.processes import Ledger, Part, StackError
from infra.stack.rest import AirflowApi
from infra.stack.standing import (
    GATEWAY,
    SENDER,
    SPARK,
    STOP_GRACE_S,
    WEB,
    WITNESS,
    Settings,
)
from infra.stack.warming import warming
from infra.witness import local as witness
from sharing.endpoint import DEFAULT_PORT, gateway_port, gateway_serving, web_port

_READY_TIMEOUT_S = 180.0
_POLL_S = 0.3
#: How often a part that died is started again. Spark once: a second death has a reason to look at.
_RESTARTS = {SPARK: 1, GATEWAY: 3, "api-server": 3, "dag-processor": 3, "scheduler": 3}

Say = Callable[[str], None]


class Stack:
    """Spark Connect, Airflow, the gateway and the web pages of one home, all on loopback."""

    def __init__(self, home: Home, schedule: Schedule, say: Say) -> None:
        self.home = home
        self.schedule: Schedule = schedule
        self._say = say
        self._parts: dict[str, Part] = {}
        self._restarts: Counter[str] = Counter()
        self._airflow: Airflow | None = None
        self._began = datetime.now(UTC)

    @property
    def airflow(self) -> Airflow:
        """The started Airflow."""
        if self._airflow is None:
            raise StackError(
                Words("服务尚未启动。", "The stack was not started."),
                Words("请先调用 start()。", "Call start() first."),
            )
        return self._airflow

    def api(self) -> AirflowApi:
        """Return a client of Airflow's REST API that mends the stack while it is refused."""
        return AirflowApi(self.airflow.url, USER, password(self.home), self.mend)

    def adopt(self) -> bool:
        """Take over the stack that ``up`` keeps running for this home, and mend what died of it.

        Raises:
            StackError: it runs with other contracts or another drop folder.
        """
        found = {part.name: part for part in Ledger(self.home).parts()}
        was = Settings.last(self.home)
        is_kept = was is not None and was.schedule == "cron" and {SPARK, *COMPONENTS} <= set(found)
        if was is None or not is_kept or not any(part.is_alive() for part in found.values()):
            return False
        if was != Settings.now(self.home, "cron"):
            raise _started_otherwise(was)
        self._parts = found
        self.schedule = "cron"
        remote = spark.remote(found[SPARK])
        self._airflow = Airflow(self.home, found["api-server"].port, remote, "cron")
        os.environ["JINGSHU_GATEWAY_PORT"] = str(found[GATEWAY].port)
        self.mend()
        return True

    def begin(self) -> None:
        """Clear what an earlier stack left behind and start every part, without waiting.

        Raises:
            StackError: a part cannot be started; those that were are stopped again.
        """
        self._clear_leftovers()
        self._began = datetime.now(UTC)
        with self._stopped_on_failure():
            self._begin_all()

    def wait_ready(self) -> None:
        """Wait until every part answers and Airflow knows the DAGs of the contracts in force.

        Raises:
            StackError: a part did not come up; all are stopped again.
        """
        with self._stopped_on_failure():
            self._wait_ready(time.monotonic() + _READY_TIMEOUT_S)

    def mend(self) -> None:
        """Start parts again that died by themselves.

        Raises:
            StackError: a part died more often than is worth another try.
        """
        for name, part in list(self._parts.items()):
            if part.is_alive():
                continue
            self._restarts[name] += 1
            if self._restarts[name] > _RESTARTS.get(name, 3):
                if name == SENDER:
                    self._give_up_sending(part)
                    continue
                processes.require_alive(part)
            self._say(text(f"{name} 意外停止，正在重新启动。", f"{name} died; starting it again."))
            processes.stop(self.home, [part], grace_s=2.0)
            self._parts[name] = self._begin(name)
            if name in (SPARK, GATEWAY, WITNESS, WEB, "api-server"):
                self._wait_listening(name)

    def stop(self) -> None:
        """Stop every part and leave neither a process nor a port behind."""
        processes.stop(self.home, list(self._parts.values()), STOP_GRACE_S)
        self._parts = {}

    def _give_up_sending(self, part: Part) -> None:
        """Go on without the sender: its events stay on disk for ``./jingshu lineage send``."""
        processes.stop(self.home, [part])
        del self._parts[SENDER]
        self._say(
            text(
                f"{SENDER} 不再重启；事件留在磁盘上待发。请查看 {part.log}。",
                f"{SENDER} is given up; events wait on disk. Read {part.log}.",
            )
        )

    def _clear_leftovers(self) -> None:
        ledger = Ledger(self.home)
        known = ledger.parts()
        if left := [part for part in known if part.members()]:
            names = [part.name for part in left]
            self._say(
                text(
                    f"正在停止先前服务遗留的部分：{'、'.join(names)}。",
                    f"Stopping what an earlier stack left: {', '.join(names)}.",
                )
            )
            processes.stop(self.home, left, grace_s=3.0)
        ledger.forget(known)
        for log in (self.home.run / "logs").glob("*.log"):
            log.replace(log.with_suffix(".log.old"))

    @contextlib.contextmanager
    def _stopped_on_failure(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.stop()
            raise

    def _begin_all(self) -> None:
        self._choose_ports()
        self._parts[SPARK] = self._begin(SPARK)
        port = processes.free_port(PREFERRED_PORT)
        remote = spark.remote(self._parts[SPARK])
        self._airflow = Airflow(self.home, port, remote, self.schedule)
        migrate(self.airflow)
        # A scheduler that still knows clock-driven DAGs would start runs that nobody asked for.
        waits = {"scheduler"} if self._follows_clock() else set()
        for name in self._wanted():
            if name not in {SPARK, *waits}:
                self._parts[name] = self._begin(name)
        Settings.now(self.home, self.schedule).write(self.home)

    def _follows_clock(self) -> bool:
        was = Settings.last(self.home)
        return self.schedule == "manual" and was is not None and was.schedule == "cron"

    def _choose_ports(self) -> None:
        """Keep the gateway's port if it is free; under ``run`` any other will do."""
        port = gateway_port()
        if self.schedule == "manual" and "JINGSHU_GATEWAY_PORT" not in os.environ:
            port = processes.free_port(DEFAULT_PORT)
        processes.require_free(port, GATEWAY)
        os.environ["JINGSHU_GATEWAY_PORT"] = str(port)

    def _wanted(self) -> Sequence[str]:
        # Without the clock nobody waits for a delivery: nothing defers, and no triggerer is needed.
        triggerless = [name for name in COMPONENTS if name != "triggerer"]
        components = COMPONENTS if self.schedule == "cron" else triggerless
        sender = [SENDER] if _has_endpoint() else []
        pages = [WEB] if self.schedule == "cron" else []
        witnesses = [WITNESS] if witness.is_wanted(self.home) else []
        return [SPARK, *components, GATEWAY, *witnesses, *pages, *sender]

    def _begin(self, name: str) -> Part:
        if name == SPARK:
            known = self._parts.get(SPARK)
            return spark.begin(self.home, known.port if known else None)
        if name == GATEWAY:
            return self._begin_gateway()
        if name == WEB:
            return self._begin_web()
        if name == SENDER:
            return self._begin_sender()
        if name == WITNESS:
            return self._begin_witness()
        component: Component = next(part for part in COMPONENTS if part == name)
        return self.airflow.begin(component)

    def _begin_gateway(self) -> Part:
        argv = [sys.executable, "-m", "sharing.gateway", "--port", str(gateway_port())]
        return processes.launch(self.home, GATEWAY, argv, self._environment(), port=gateway_port())

    def _begin_web(self) -> Part:
        known = self._parts.get(WEB)
        port = known.port if known else processes.free_port(web_port())
        argv = [sys.executable, "-m", "portal.web", "--port", str(port)]
        return processes.launch(self.home, WEB, argv, self._environment(), port=port)

    def _begin_sender(self) -> Part:
        argv = [sys.executable, "-m", "cli", "lineage", "send", "--watch"]
        return processes.launch(self.home, SENDER, argv, self._environment())

    def _begin_witness(self) -> Part:
        known = self._parts.get(WITNESS)
        port = known.port if known else processes.free_port(witness.PORT)
        witness.pin(self.home, port)
        argv = [sys.executable, "-m", "infra.witness", "--port", str(port)]
        return processes.launch(self.home, WITNESS, argv, self._environment(), port=port)

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "JINGSHU_HOME": str(self.home.root),
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
        }

    def _wait_ready(self, deadline: float) -> None:
        self._wait_listening(SPARK)
        self._say_ready(SPARK)
        # Who keeps the stack asks it something soon; the tasks of a day that runs now warm it.
        is_kept = self.schedule == "cron"
        remote = spark.remote(self._parts[SPARK])
        with warming(self.home, remote, self._say) if is_kept else contextlib.nullcontext():
            self._wait_for_airflow(deadline)

    def _wait_listening(self, name: str) -> None:
        # The gateway and the pages listen where JINGSHU_BIND says; all else is on the loopback.
        host = gateway_serving().own_host if name in (GATEWAY, WEB) else processes.LOOPBACK
        processes.wait_listening(self._parts[name], _READY_TIMEOUT_S, host)

    def _wait_for_airflow(self, deadline: float) -> None:
        for name in ("api-server", GATEWAY, WITNESS, WEB):
            if name in self._parts:
                self._wait_listening(name)
                self._say_ready(name)
        with self.api() as api:
            api.warm()
            dags = Words("任务流（DAG）", "its DAGs")
            self._until(deadline, lambda: self._are_parsed(api), dags)
            if "scheduler" not in self._parts:
                self._parts["scheduler"] = self._begin("scheduler")
            if self.schedule == "cron":
                self._until(deadline, api.is_ready, Words("调度器", "its scheduler"))
        self._say_ready("airflow")

    def _say_ready(self, name: str) -> None:
        self._say(text(f"{name} 已就绪。", f"{name} is ready."))

    def _until(self, deadline: float, is_done: Callable[[], bool], what: Words) -> None:
        while not is_done():
            for name, part in self._parts.items():
                if name != SENDER:
                    processes.require_alive(part)
            if time.monotonic() > deadline:
                logs = self.home.run / "logs"
                raise StackError(
                    Words(
                        f"Airflow 的{what.zh}在 {_READY_TIMEOUT_S:.0f} 秒内没有就绪。",
                        f"Airflow did not get {what.en} ready within {_READY_TIMEOUT_S:.0f} s.",
                    ),
                    Words(f"请查看 {logs} 中的文件。", f"Read the files in {logs}."),
                )
            time.sleep(_POLL_S)

    def _are_parsed(self, api: AirflowApi) -> bool:
        if errors := api.import_errors():
            first = errors[0]
            raise StackError(
                Words(
                    f"Airflow 不能读取某个 DAG 文件：{first}。",
                    f"Airflow could not read a DAG file: {first}.",
                ),
                Words(
                    "请运行 ./jingshu contract lint，再试一次。",
                    "Run ./jingshu contract lint, then try again.",
                ),
            )
        fresh = {dag_id for dag_id, at in api.parsed_dags().items() if at >= self._began}
        return expected_dags(self.home) <= fresh


def _started_otherwise(was: Settings) -> StackError:
    return StackError(
        Words(
            f"./jingshu up 的服务以契约 {was.contracts}、投递文件夹 {was.drop} 运行。",
            f"The stack of ./jingshu up runs with contracts {was.contracts}, drop {was.drop}.",
        ),
        Words(
            "请用 ./jingshu down 停止它，再试一次。",
            "Stop it with ./jingshu down, then try again.",
        ),
    )


def _has_endpoint() -> bool:
    """Tell whether somebody wants the lineage: the variables of openlineage-python."""
    is_off = os.environ.get("OPENLINEAGE_DISABLED", "").strip().lower() == "true"
    return bool(os.environ.get("OPENLINEAGE_URL")) and not is_off


def expected_dags(home: Home) -> frozenset[str]:
    """Return the ids of the DAGs that the contracts in force ask for."""
    tree = city_tree(home)
    products = {f"product__{product.dataset}" for product in tree.active_products()}
    shares = {
        f"share__{product.dataset}"
        for product in tree.active_products()
        if product.product_plan.policies
    }
    return frozenset({f"ingest__{feed.table}" for feed in tree.feeds()} | products | shares)

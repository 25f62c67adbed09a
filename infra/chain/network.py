"""A chain of four validators on loopback: the pilot of 区块链存证, and what its tests run.

Four tolerate one that is stopped or lies. Their built-in key-value application keeps the texts.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from contracts.words import Words
from infra.chain.program import COMETBFT
from infra.stack import processes
from infra.stack.processes import LOOPBACK, Ledger, Part, StackError
from lineage.evidence.cometbft import CometBft
from lineage.evidence.errors import ChainError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from contracts.layout import Home

VALIDATORS: Final = 4
_START_TIMEOUT_S: Final = 60.0
_STOP_GRACE_S: Final = 5.0
_POLL_S: Final = 0.2


@dataclass(frozen=True)
class Validator:
    """One validator: its part's name, its node id and its loopback ports."""

    name: str
    node_id: str
    rpc_port: int
    p2p_port: int

    @property
    def rpc(self) -> str:
        """Where its RPC answers."""
        return f"http://{LOOPBACK}:{self.rpc_port}"

    @property
    def address(self) -> str:
        """How its peers find it."""
        return f"{self.node_id}@{LOOPBACK}:{self.p2p_port}"


class Network:
    """The chain of one home: its state in ``run/chain``, its processes in ``run/stack.json``."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._folder = home.run / "chain"

    def start(self) -> tuple[Validator, ...]:
        """Start every validator that does not run, and wait until all answer and know each other.

        Raises:
            StackError: cometbft cannot be had, a port is taken, or a validator died.
        """
        program = COMETBFT.path()
        validators = self.validators() or self._lay_out(program)
        parts = [self.start_one(validator, program) for validator in validators]
        try:
            for part in parts:
                processes.wait_listening(part, _START_TIMEOUT_S)
            self._wait_joined(validators)
        except StackError:
            self.stop()
            raise
        return validators

    def _wait_joined(self, validators: Sequence[Validator]) -> None:
        """Wait until each has all its peers and a block.

        A text that comes before that stays with the one validator that took it, and no block is
        made of it (``create_empty_blocks=false``).
        """
        deadline = time.monotonic() + _START_TIMEOUT_S
        for validator in validators:
            while not self._has_joined(validator, len(validators) - 1):
                if time.monotonic() > deadline:
                    raise self._not_joined(validator.name)
                time.sleep(_POLL_S)

    def _not_joined(self, name: str) -> StackError:
        log = f"{self._home.run / 'logs' / name}.log"
        return StackError(
            Words(
                f"{name} 在 {_START_TIMEOUT_S:.0f} 秒内没有找到其他节点。",
                f"{name} did not find its peers within {_START_TIMEOUT_S:.0f} s.",
            ),
            Words(f"请查看 {log}。", f"Read {log}."),
        )

    @staticmethod
    def _has_joined(validator: Validator, peers: int) -> bool:
        node = CometBft(validator.rpc)
        try:
            return node.peers() >= peers and node.height() >= 1
        except ChainError:
            return False

    def start_one(self, validator: Validator, program: Path) -> Part:
        """Start one validator unless it runs, without waiting for it."""
        running = Ledger(self._home).find(validator.name)
        if running is not None:
            return running
        peers = ",".join(v.address for v in self.validators() if v != validator)
        argv = [
            str(program),
            "start",
            f"--home={self._folder / validator.name}",
            "--proxy_app=persistent_kvstore",
            f"--rpc.laddr=tcp://{LOOPBACK}:{validator.rpc_port}",
            f"--p2p.laddr=tcp://{LOOPBACK}:{validator.p2p_port}",
            f"--p2p.persistent_peers={peers}",
            "--p2p.pex=false",
            "--consensus.create_empty_blocks=false",
            "--log_level=error",
        ]
        env = dict(os.environ)
        return processes.launch(self._home, validator.name, argv, env, port=validator.rpc_port)

    def stop(self, names: Sequence[str] | None = None) -> tuple[Part, ...]:
        """Stop these validators (all without names); what the chain holds stays."""
        ours = {v.name for v in self.validators()} if names is None else set(names)
        parts = tuple(part for part in Ledger(self._home).parts() if part.name in ours)
        processes.stop(self._home, parts, _STOP_GRACE_S)
        return parts

    def validators(self) -> tuple[Validator, ...]:
        """Return the validators that were laid out; none before the first start."""
        try:
            rows = json.loads((self._folder / "network.json").read_text("utf-8"))
        except FileNotFoundError:
            return ()
        return tuple(Validator(**row) for row in rows)

    def _lay_out(self, program: Path) -> tuple[Validator, ...]:
        """Make keys, genesis and ports; ``network.json`` comes last."""
        self._folder.mkdir(parents=True, exist_ok=True)
        made = [
            *(str(program), "testnet", f"--v={VALIDATORS}", f"--o={self._folder}"),
            *("--node-dir-prefix=chain-", "--populate-persistent-peers=false"),
        ]
        _run(made)
        validators = []
        ports = _free_ports(2 * VALIDATORS)
        for number in range(VALIDATORS):
            name = f"chain-{number}"
            node_id = _run([str(program), "show-node-id", f"--home={self._folder / name}"]).strip()
            validators.append(Validator(name, node_id, ports.pop(), ports.pop()))
        draft = self._folder / "network.new"
        draft.write_text(json.dumps([asdict(v) for v in validators], indent=1), "utf-8")
        draft.replace(self._folder / "network.json")
        return tuple(validators)


def _free_ports(count: int) -> list[int]:
    found = set[int]()
    while len(found) < count:
        found.add(processes.free_port())
    return list(found)


def _run(argv: Sequence[str]) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        what, said = f"{argv[0]} {argv[1]}", done.stderr.strip()[-300:]
        raise StackError(
            Words(f"{what} 运行失败：{said}", f"{what} failed: {said}"),
            Words(
                "请删除状态文件夹中的 run/chain，再试一次。",
                "Remove run/chain in the state folder and try again.",
            ),
        )
    return done.stdout

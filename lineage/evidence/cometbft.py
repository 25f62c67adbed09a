"""A CometBFT chain as an anchor: its JSON-RPC, with the built-in key-value application.

Any node of the chain may be asked; blocks are recomputed from its answers (``block.py``).
"""

from __future__ import annotations

import base64
import time
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import httpx

from contracts.words import Words
from lineage.evidence.block import checked_block
from lineage.evidence.errors import ChainError

if TYPE_CHECKING:
    from lineage.evidence.block import Block

#: A node waits up to 10 s for a transaction's block by itself (timeout_broadcast_tx_commit).
_TIMEOUT_S: Final = 15.0
_INCLUDED_S: Final = 30.0
_POLL_S: Final = 0.25
_PAGE: Final = 100


class CometBft:
    """One node's RPC at ``url``; an :class:`~lineage.evidence.anchor.Anchor`."""

    def __init__(self, url: str, included_s: float = _INCLUDED_S) -> None:
        """Name the node, and how long it may take to include a transaction."""
        self._url = url.rstrip("/")
        self._included_s = included_s

    def save(self, key: str, value: str) -> int:
        """Put ``key=value`` on the chain and return the height of its block.

        What is there already, or gets there although the answer was lost, is found by its hash.

        Raises:
            ChainError: The chain refused it, or did not include it in time.
        """
        tx = f"{key}={value}".encode()
        height = self._height_of(tx)
        if height is not None:
            return height
        try:
            answer = self._call("broadcast_tx_commit", {"tx": base64.b64encode(tx).decode()})
            self._refuse_if_refused(answer)
        except _NodeError:
            pass  # it waits in the node's pool already, or its block takes longer than the node
        deadline = time.monotonic() + self._included_s
        while (height := self._height_of(tx)) is None:
            if time.monotonic() > deadline:
                raise ChainError(
                    Words(
                        f"{self._url} 未能按时将检查点写入区块。",
                        f"{self._url} did not include the checkpoint in time.",
                    )
                )
            time.sleep(_POLL_S)
        return height

    def read(self, height: int) -> Block:
        """Return the block of a height, recomputed.

        Raises:
            ChainError: There is none, or too few validators signed it.
        """
        at = {"height": str(height)}
        commit, block = self._call("commit", at), self._call("block", at)
        validators, page = list[Any](), 1
        while page == 1 or len(validators) == (page - 1) * _PAGE:
            asked = {**at, "page": str(page), "per_page": str(_PAGE)}
            try:
                validators += _part(self._call("validators", asked), "validators")
            except _NodeError:
                if page == 1:
                    raise
                break  # the last page was full
            page += 1
        txs = _part(block, "block", "data", "txs") or []
        found = checked_block(_part(commit, "signed_header"), validators, txs)
        if found.height != height:
            raise ChainError(
                Words(
                    f"{self._url} 答复的高度为 {found.height}，而非 {height}。",
                    f"{self._url} answered with height {found.height}, not {height}.",
                )
            )
        return found

    def height(self) -> int:
        """Return the height of the newest block; 0 before the first.

        Raises:
            ChainError: The node did not answer.
        """
        return int(_part(self._call("status", {}), "sync_info", "latest_block_height"))

    def peers(self) -> int:
        """Return how many nodes this one is connected to.

        Raises:
            ChainError: The node did not answer.
        """
        return int(_part(self._call("net_info", {}), "n_peers"))

    def newest(self, key: str) -> str | None:
        """Return the value of a key in the application's newest state; None without one.

        Raises:
            ChainError: The node did not answer.
        """
        answer = self._call("abci_query", {"data": key.encode().hex()})
        value = _part(answer, "response").get("value")
        return None if value is None else base64.b64decode(value).decode(errors="replace")

    def _height_of(self, tx: bytes) -> int | None:
        digest = base64.b64encode(sha256(tx).digest()).decode()
        try:
            return int(_part(self._call("tx", {"hash": digest}), "height"))
        except _NodeError:
            return None

    def _refuse_if_refused(self, answer: Any) -> None:
        for step in ("check_tx", "tx_result"):
            if code := _part(answer, step, "code"):
                raise ChainError(
                    Words(
                        f"{self._url} 拒绝了检查点（{step}，代码 {code}）。",
                        f"{self._url} refused the checkpoint ({step}, code {code}).",
                    )
                )

    def _call(self, method: str, params: dict[str, str]) -> Any:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        try:
            answer = httpx.post(self._url, json=body, timeout=_TIMEOUT_S).json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise ChainError(
                Words(f"{self._url} 没有应答：{error}。", f"{self._url} did not answer: {error}.")
            ) from error
        if not isinstance(answer, dict) or answer.get("error"):
            problem = answer.get("error") if isinstance(answer, dict) else answer
            raise _NodeError(
                Words(
                    f"{self._url} 对 {method} 的答复为 {problem}。",
                    f"{self._url} answered {method} with {problem}.",
                )
            )
        return answer.get("result")


class _NodeError(ChainError):
    """An error that the node reports: it answered, and would not or could not."""


def _part(answer: Any, *names: str) -> Any:
    for name in names:
        if not isinstance(answer, dict) or name not in answer:
            path = ".".join(names)
            raise ChainError(
                Words(f"节点的答复中没有 {path}。", f"The node's answer has no {path}.")
            )
        answer = answer[name]
    return answer

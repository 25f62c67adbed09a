"""Nodes that answer nonsense; the real ones run in tests/e2e/test_chain.py."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lineage.evidence.cometbft import CometBft
from lineage.evidence.errors import ChainError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Node = Callable[..., CometBft]

FOLDER = Path(__file__).parent / "chain"


@pytest.fixture
def node() -> Iterator[Node]:
    servers: list[HTTPServer] = []

    def start(**answers: Any) -> CometBft:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                method = json.loads(self.rfile.read(length))["method"]
                answer = answers.get(method, {"error": {"code": -32603}})
                body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: object) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return CometBft(f"http://127.0.0.1:{server.server_port}/", included_s=0.3)

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def recorded(name: str) -> dict[str, Any]:
    return {"result": json.loads((FOLDER / f"{name}.json").read_text())}


def test_a_recorded_block_is_read(node: Node) -> None:
    empty = {"result": {"block": {"data": {"txs": None}}}}
    good = node(commit=recorded("commit"), validators=recorded("validators"), block=empty)
    assert good.read(1).chain_id == "chain-V6XZoV"
    with pytest.raises(ChainError, match="answered with height 1, not 2"):
        good.read(2)


def test_nonsense_is_refused(node: Node) -> None:
    for answer in (b"", b"no json", b"[]", b"null", {"result": None}, {"result": {"block": 1}}):
        with pytest.raises(ChainError):
            node(commit=answer, block=answer, validators=answer).read(1)
    with pytest.raises(ChainError, match="has no response"):
        node(abci_query={"result": {}}).newest("key")


def test_a_refused_or_forgotten_text_has_no_height(node: Node) -> None:
    refused = {"result": {"check_tx": {"code": 2}, "tx_result": {"code": 0}}}
    with pytest.raises(ChainError, match=r"refused the checkpoint .check_tx, code 2"):
        node(broadcast_tx_commit=refused).save("key", "value")
    taken = {"result": {"check_tx": {"code": 0}, "tx_result": {"code": 0}}}
    with pytest.raises(ChainError, match="did not include"):
        node(broadcast_tx_commit=taken).save("key", "value")
    with pytest.raises(ChainError, match="did not answer"):
        CometBft("http://127.0.0.1:1").save("key", "value")
    with pytest.raises(ChainError, match="did not answer"):
        CometBft("no url").newest("key")


def test_a_lost_answer_is_found_again_by_its_hash(node: Node) -> None:
    assert node(tx={"result": {"height": "7"}}).save("key", "value") == 7

"""The demo's own witness: a key and a memory apart from the log's, on the same machine.

It finds a log that was rebuilt by whoever has the log's key and not the witness's. Whoever controls
the machine has both: a real witness runs elsewhere, with somebody else.
"""

from __future__ import annotations

import base64
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import time
from typing import TYPE_CHECKING, Final

from lineage.evidence.cosignature import Cosigner
from lineage.evidence.durable import write_durably, write_once
from lineage.evidence.keeping import Keeping
from lineage.evidence.note import MAX_NOTE_BYTES, Verifier
from lineage.evidence.witness import Reply, Witness
from lineage.evidence.witnesses import VARIABLE, Pinned, pinned_witnesses, policy_file

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.layout import Home

NAME: Final = "jingshu.local/witness"
#: What its line in ``keys/witnesses`` calls it.
LOCAL: Final = "local"
PORT: Final = 8793
HOST: Final = "127.0.0.1"
_SLOW_S: Final = 10.0


def folder(home: Home) -> Path:
    """Return where the witness lives: beside the log's folder and its keys, in neither."""
    return home.root / "witness"


def load_cosigner(home: Home) -> Cosigner:
    """Read the witness's key, or make it, readable by its owner alone."""
    path = folder(home) / "witness.key"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        seed = base64.b64encode(Cosigner.generate(NAME).seed) + b"\n"
        write_once(path, seed, path.parent, 0o600)
    return Cosigner(NAME, base64.b64decode(path.read_bytes()))


def load_witness(home: Home) -> Witness:
    """Return the witness, which trusts the first key that it saw of this home's log, for good."""
    path = folder(home) / "log.vkey"
    shown = Keeping.of(home).vkey
    if not path.exists() and shown.exists():
        write_once(path, shown.read_bytes(), path.parent, 0o600)
    logs = (Verifier.parse(path.read_text().strip()),) if path.exists() else ()
    return Witness(load_cosigner(home), folder(home), logs)


def pin(home: Home, port: int) -> None:
    """Write the local witness's line, with the port that it has now, into ``keys/witnesses``."""
    witness = Pinned(LOCAL, load_cosigner(home).key, f"http://{HOST}:{port}")
    home.keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_durably(policy_file(home), witness.line().encode(), home.keys, mode=0o600)


def is_wanted(home: Home) -> bool:
    """Tell whether the demo's witness is wanted: nobody named other ones."""
    return VARIABLE not in os.environ and all(w.name == LOCAL for w in pinned_witnesses(home))


def make_server(home: Home, port: int) -> ThreadingHTTPServer:
    """Return the server of ``add-checkpoint`` on the loopback address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = _SLOW_S

        def do_POST(self) -> None:
            self._answer(self._reply())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            """Stay silent: the request line says nothing that is not in the answer."""

        def _reply(self) -> Reply:
            length = self.headers.get("Content-Length", "")
            if self.path != "/add-checkpoint":
                return Reply(404)
            if not length.isdecimal() or int(length) > MAX_NOTE_BYTES:
                self.close_connection = True
                return Reply(400)
            body = self.rfile.read(int(length))
            return load_witness(home).add_checkpoint(body, int(time()))

        def _answer(self, reply: Reply) -> None:
            body = reply.body.encode()
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return ThreadingHTTPServer((HOST, port), Handler)

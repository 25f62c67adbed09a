"""Check a grant's dossier from the provider's file to the recipient's read, as a stranger would.

And from the request to the grant, where the grant names one: each step, each body's answer.

    python3 verify_grant.py BUNDLE.zip LOG.VKEY [RAW_FILE ...]

Written from the public specifications (RFC 6962, RFC 8032, c2sp.org/tlog-proof and signed-note): it
takes nothing from the bundle's own verifier. It needs the standard library and ``cryptography``.
LOG.VKEY is the log's key as you obtained it, not the bundle's. RAW_FILEs are the provider's files,
where you have them. Exit code: 0 it holds, 1 it does not, 3 what is there holds and a part of the
chain is missing (a line begins with GAP).
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Leaf = dict[str, Any]


class Broken(Exception):  # noqa: N818  (what a reader would call it)
    """The dossier does not hold."""


def signed_text(note: bytes, vkey: str) -> str:
    """Return a signed note's text, if the log's key signed it."""
    name, key_id, blob = vkey.strip().split("+", 2)
    text, _, signatures = note.decode().rpartition("\n\n")
    for line in signatures.splitlines():
        signature = base64.b64decode(line.rpartition(" ")[2])
        if line.startswith(f"— {name} ") and signature[:4].hex() == key_id:
            public = Ed25519PublicKey.from_public_bytes(base64.b64decode(blob)[1:])
            public.verify(signature[4:], f"{text}\n".encode())
            return f"{text}\n"
    raise Broken("the log's key did not sign it")


def root_of(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """Return the tree's root that an inclusion proof gives (RFC 9162 section 2.1.3.2)."""
    digest, last = hashlib.sha256(b"\0" + leaf).digest(), size - 1
    for sibling in path:
        if last == 0:
            raise Broken("a proof is too long")
        if index & 1 or index == last:
            digest = hashlib.sha256(b"\1" + sibling + digest).digest()
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            digest = hashlib.sha256(b"\1" + digest + sibling).digest()
        index, last = index >> 1, last >> 1
    if last:
        raise Broken("a proof is too short")
    return digest


def leaves_of(files: dict[str, bytes], vkey: str) -> list[Leaf]:
    """Return the leaves that the log holds; whatever else the bundle says is not believed."""
    manifest = json.loads(files["manifest.json"])
    digest = hashlib.sha256(files["manifest.json"]).hexdigest()
    origin = vkey.partition("+")[0]
    signed = f"{origin} dossier@v1\nmanifest.json sha256 {digest}\n"
    if signed_text(files["manifest.note"], vkey) != signed:
        raise Broken("manifest.json is not the one that was signed")
    if files.keys() - {"manifest.json", "manifest.note"} != manifest["files"].keys():
        raise Broken("files are missing or too many")
    for name, wanted in manifest["files"].items():
        if hashlib.sha256(files[name]).hexdigest() != wanted:
            raise Broken(f"{name} is not the file that the manifest lists")
    found, size, root = signed_text(files["checkpoint"], vkey).split("\n")[:3]
    if found != origin:
        raise Broken("the checkpoint is another log's")
    leaves = []
    for listed in manifest["leaves"]:
        data, proof = files[listed["leaf"]], files[listed["proof"]].decode()
        lines = proof.partition("\n\n")[0].split("\n")
        index = int(next(s for s in lines if s.startswith("index ")).partition(" ")[2])
        path = [base64.b64decode(s) for s in lines if " " not in s and "/tlog-proof" not in s]
        if root_of(data, index, int(size), path) != base64.b64decode(root):
            raise Broken(f"{listed['leaf']} is not in the log")
        leaf = json.loads(data)
        if any(leaf[name] != listed[name] for name in ("type", "subject", "facts", "at")):
            raise Broken(f"the manifest says otherwise than {listed['leaf']}")
        leaves.append(leaf)
    return leaves


def request(leaves: list[Leaf], asked: str) -> tuple[list[str], list[str]]:
    """Walk a request's steps from its draft to the delivery: those found, and what is missing."""
    found = {
        int(leaf["subject"].rpartition("#")[2]): leaf
        for leaf in leaves
        if leaf["type"] in ("request", "answer", "destruction")
        and leaf["subject"].rpartition("#")[0] == asked
    }
    steps = [
        f"{leaf['at']} {leaf['type']} {leaf['subject']}: {leaf['facts']['action']} by"
        f" {leaf['facts']['actor']} for {leaf['facts']['body']}"
        for leaf in found.values()
    ]
    gaps = [
        f"no step {n} of request {asked}" for n in range(max(found, default=0)) if n not in found
    ]
    taken = {leaf["facts"]["action"] for leaf in found.values()}
    for wanted, actions in (
        ("submission", {"submit"}),
        ("answer", {"accept", "agree", "agree_as_authority"}),
        ("delivery", {"deliver"}),
    ):
        gaps.extend([] if taken & actions else [f"no {wanted} of request {asked}"])
    return steps, gaps


def custody(leaves: list[Leaf]) -> tuple[list[str], list[str]]:
    """Walk back from the grant to the providers' files: the steps found, and what is missing."""
    steps, gaps = [], []

    def find(kind: str, wanted: str, **facts: object) -> list[Leaf]:
        fits = [
            leaf
            for leaf in leaves
            if leaf["type"] == kind and all(leaf["facts"].get(n) == v for n, v in facts.items())
        ]
        if not fits:
            gaps.append(f"no {kind} of {wanted}")
        steps.extend(f"{leaf['at']} {kind} {leaf['subject']}" for leaf in fits)
        return fits

    [grant] = find("grant", "the dossier")
    asked = grant["facts"].get("request")
    if asked:
        told, missing = request(leaves, asked)
        steps.extend(told)
        gaps.extend(missing)
    else:
        steps.append(f"{grant['at']} grant of no request, by {grant['facts']['granted_by']}")
    steps.extend(
        f"{leaf['at']} level of {leaf['subject']}, lowered by approval {number}"
        + ("" if number == asked else ": a document that is not in this dossier")
        for leaf in leaves
        if leaf["type"] == "level"
        for number in [leaf["facts"]["approval"]]
    )
    table = grant["facts"]["table"].rpartition(".")[2]
    find("reads", table, table=table.casefold())
    shared = [s for s in leaves if s["type"] == "share" and s["subject"].startswith(f"{table}@")]
    steps.extend(f"{leaf['at']} share {leaf['subject']}" for leaf in shared)
    gaps.extend([] if shared else [f"no share of {table}"])
    builds = [b for b in leaves if b["type"] == "build"]
    for source in sorted({s["facts"]["source"] for s in shared}):
        made = [b for b in builds if b["subject"].partition("@")[2].partition("/")[0] == source]
        gaps.extend([] if made else [f"no build {source}"])
        for build in made:
            steps.append(f"{build['at']} build {build['subject']}")
            for name, version in json.loads(build["facts"]["inputs"]).items():
                dataset = name.partition("__")[2]
                provider = name.partition("__")[0]
                for publication in find(
                    "publication", f"{name} version {version}", provider=provider, dataset=dataset,
                    silver_version=version,
                ):  # fmt: skip
                    batch = publication["subject"].partition("/")[0]
                    find("verdict", batch, digest=publication["facts"]["digest"])
                    landed = [
                        leaf
                        for leaf in leaves
                        if leaf["type"] == "landing" and leaf["subject"] == batch
                    ]
                    gaps.extend([] if landed else [f"no landing of {batch}"])
                    steps.extend(
                        f"{leaf['at']} landing {batch}, file sha256 {leaf['facts']['file_sha256']}"
                        for leaf in landed
                    )
    return list(dict.fromkeys(steps)), gaps


def main(bundle: str, vkey_file: str, *raw_files: str) -> int:
    """Check a bundle; print the chain of custody, or what is broken."""
    try:
        with zipfile.ZipFile(bundle) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        leaves = leaves_of(files, Path(vkey_file).read_text("utf-8"))
        steps, gaps = custody(leaves)
        landed = {v for leaf in leaves if leaf["type"] == "landing" for v in leaf["facts"].values()}
        for name in raw_files:
            if hashlib.sha256(Path(name).read_bytes()).hexdigest() not in landed:
                raise Broken(f"{name} is not a file that landed")
    except (Broken, InvalidSignature, OSError, ValueError, KeyError, StopIteration) as error:
        print(f"BROKEN {type(error).__name__}: {error}")
        return 1
    print(*sorted(steps), *(f"GAP {gap}" for gap in gaps), sep="\n")
    print(f"HOLDS {len(leaves)} leaves. Not shown: that the log's key did not sign a rebuilt log.")
    return 3 if gaps else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""A block of a CometBFT chain, recomputed: its hash, its transactions, and who signed it.

A node's answer is believed only as far as more than two thirds of the validators' power signed it.
Encodings: CometBFT v1 ``spec/core/data_structures.md`` and ``encoding.md`` (Protocol Buffers).
"""

from __future__ import annotations

import re
from base64 import b64decode
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from contracts.words import Words
from lineage.evidence.errors import ChainError
from lineage.evidence.hashing import leaf_hash, merkle_root

if TYPE_CHECKING:
    from collections.abc import Sequence

_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z")
_FOR_THE_BLOCK = 2  # BlockIDFlagCommit
_PRECOMMIT = 2
_ED25519 = "tendermint/PubKeyEd25519"
_ADDRESS_BYTES = 20


def _hex(text: Any) -> Any:
    return bytes.fromhex(text) if isinstance(text, str) else text


def _base64(text: Any) -> Any:
    return b"" if text is None else b64decode(text, validate=True)


Hex = Annotated[bytes, BeforeValidator(_hex)]
Base64 = Annotated[bytes, BeforeValidator(_base64)]


class _Answer(BaseModel):
    """Part of a node's answer; other nodes may add fields."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class _Parts(_Answer):
    total: int = Field(ge=0)
    hash: Hex


class _BlockId(_Answer):
    hash: Hex
    parts: _Parts


class _Version(_Answer):
    block: int = 0
    app: int = 0


class _Header(_Answer):
    version: _Version
    chain_id: str
    height: int = Field(ge=1)
    time: str
    last_block_id: _BlockId
    last_commit_hash: Hex
    data_hash: Hex
    validators_hash: Hex
    next_validators_hash: Hex
    consensus_hash: Hex
    app_hash: Hex
    last_results_hash: Hex
    evidence_hash: Hex
    proposer_address: Hex

    def digest(self) -> bytes:
        """Return the block's hash: the Merkle root over the header's encoded fields."""
        fields = [
            _number(1, self.version.block) + _number(2, self.version.app),
            _bytes(1, self.chain_id.encode()),
            _number(1, self.height),
            _time(self.time),
            _block_id(self.last_block_id),
            *(
                _bytes(1, value)
                for value in (
                    self.last_commit_hash,
                    self.data_hash,
                    self.validators_hash,
                    self.next_validators_hash,
                    self.consensus_hash,
                    self.app_hash,
                    self.last_results_hash,
                    self.evidence_hash,
                    self.proposer_address,
                )
            ),
        ]
        return merkle_root(map(leaf_hash, fields))


class _Signature(_Answer):
    block_id_flag: int
    validator_address: Hex
    timestamp: str
    signature: Base64


class _Commit(_Answer):
    height: int
    round: int = Field(ge=0)
    block_id: _BlockId
    signatures: tuple[_Signature, ...]


class _SignedHeader(_Answer):
    header: _Header
    commit: _Commit


class _PublicKey(_Answer):
    type: str
    value: Base64


class _Validator(_Answer):
    pub_key: _PublicKey
    voting_power: int = Field(ge=0)


class _Answers(_Answer):
    signed_header: _SignedHeader
    validators: tuple[_Validator, ...]
    txs: tuple[Base64, ...]


class Block(BaseModel):
    """What a chain's validators signed at one height."""

    model_config = ConfigDict(frozen=True)

    chain_id: str
    height: int
    time: str  # RFC 3339, as the header says it
    block_hash: str  # upper-case hex, as CometBFT writes it
    validators_hash: str
    txs: tuple[bytes, ...]


def checked_block(commit: Any, validators: Any, txs: Any) -> Block:
    """Return a block from the results of ``/commit``, ``/validators`` and ``/block``, recomputed.

    Raises:
        ChainError: They do not fit each other, or too few validators signed.
    """
    try:
        answers = {"signed_header": commit, "validators": validators, "txs": txs}
        return _checked(_Answers.model_validate(answers))
    except ChainError:
        raise
    except (ValueError, TypeError, OverflowError) as error:
        problem = Words(
            "节点的答复不是 CometBFT 的区块。", "The node's answer is no block of CometBFT."
        )
        raise ChainError(problem) from error


def _checked(answers: _Answers) -> Block:
    header, signed = answers.signed_header.header, answers.signed_header.commit
    digest = header.digest()
    if (signed.height, signed.block_id.hash) != (header.height, digest):
        raise ChainError(
            Words(
                f"高度 {header.height} 的区块头哈希与所签不符。",
                f"The header of height {header.height} does not hash to what was signed.",
            )
        )
    if merkle_root(leaf_hash(_validator(v)) for v in answers.validators) != header.validators_hash:
        raise ChainError(
            Words(
                f"高度 {header.height} 的验证人与区块头所记不符。",
                f"The validators of height {header.height} are not the header's.",
            )
        )
    if merkle_root(leaf_hash(sha256(tx).digest()) for tx in answers.txs) != header.data_hash:
        raise ChainError(
            Words(
                f"高度 {header.height} 的交易与区块头所记不符。",
                f"The transactions of height {header.height} are not the header's.",
            )
        )
    _require_majority(header, signed, answers.validators)
    return Block(
        chain_id=header.chain_id,
        height=header.height,
        time=header.time,
        block_hash=digest.hex().upper(),
        validators_hash=header.validators_hash.hex().upper(),
        txs=answers.txs,
    )


def _require_majority(header: _Header, commit: _Commit, validators: Sequence[_Validator]) -> None:
    """Require valid signatures of more than two thirds of the voting power."""
    by_address = {sha256(v.pub_key.value).digest()[:_ADDRESS_BYTES]: v for v in validators}
    power = 0
    for signature in commit.signatures:
        if signature.block_id_flag != _FOR_THE_BLOCK:
            continue
        validator = by_address.pop(signature.validator_address, None)  # each counts once
        if validator is not None and _has_signed(header.chain_id, commit, signature, validator):
            power += validator.voting_power
    total = sum(v.voting_power for v in validators)
    if power * 3 <= total * 2:
        raise ChainError(
            Words(
                f"签署高度 {header.height} 区块的投票权只有 {power}（共 {total}），"
                "须超过三分之二。",
                f"Only {power} of {total} of the voting power signed the block of height"
                f" {header.height}; more than two thirds are needed.",
            )
        )


def _has_signed(
    chain_id: str, commit: _Commit, signature: _Signature, validator: _Validator
) -> bool:
    vote = b"".join(
        (
            _number(1, _PRECOMMIT),
            _fixed(2, commit.height),
            _fixed(3, commit.round),
            _bytes(4, _block_id(commit.block_id)),
            _message(5, _time(signature.timestamp)),
            _bytes(6, chain_id.encode()),
        )
    )
    try:
        key = Ed25519PublicKey.from_public_bytes(validator.pub_key.value)
        key.verify(signature.signature, _varint(len(vote)) + vote)
    except (InvalidSignature, ValueError):
        return False
    return validator.pub_key.type == _ED25519


def _validator(validator: _Validator) -> bytes:
    key = _bytes(1, validator.pub_key.value)  # of PublicKey's oneof: ed25519
    return _message(1, key) + _number(2, validator.voting_power)


def _block_id(block: _BlockId) -> bytes:
    parts = _number(1, block.parts.total) + _bytes(2, block.parts.hash)
    return _bytes(1, block.hash) + _message(2, parts)


def _time(text: str) -> bytes:
    found = _TIME.fullmatch(text)
    if found is None:
        problem = Words(
            f"节点的时间 {text} 不是 RFC 3339 的 UTC 时间。",
            f"The node's time {text} is not RFC 3339 in UTC.",
        )
        raise ChainError(problem)
    seconds = int(datetime.fromisoformat(found[1]).replace(tzinfo=UTC).timestamp())
    return _number(1, seconds) + _number(2, int((found[2] or "").ljust(9, "0")))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value) if value else b""


def _fixed(field: int, value: int) -> bytes:
    return _varint(field << 3 | 1) + value.to_bytes(8, "little") if value else b""


def _bytes(field: int, value: bytes) -> bytes:
    return _message(field, value) if value else b""


def _message(field: int, value: bytes) -> bytes:
    """Encode an embedded message, which is written even if it is empty."""
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    groups: list[int] = []
    while value >= 1 << 7:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*groups, value])

"""Where each body's people are told: ``notices.toml`` of the home, read and checked whole.

Example::

    [smtp]
    host = "mail.example.gov.cn"
    port = 587
    sender = "jingshu@example.gov.cn"
    username = "jingshu"
    password_file = "smtp-password"          # in the home's keys folder

    [webhooks]
    allow = ["https://hooks.example.gov.cn"] # origins; nothing else is ever called

    [[to]]
    body = "health"
    roles = ["steward"]                      # none named: all notices of the body
    email = "data@health.example.gov.cn"

    [[to]]
    body = "demo"
    webhook = "https://hooks.example.gov.cn/jingshu"
    secret_file = "demo-webhook"
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from contracts.errors import BadValueError, UsageError
from contracts.words import Words

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from contracts.layout import Home

FILE: Final = "notices.toml"
_EMAIL: Final = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")
_HOST: Final = re.compile(r"[A-Za-z0-9.-]{1,253}")
_KEY_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")
_PRINTABLE_URL: Final = re.compile(r"[!-~]{1,2000}")
_SHORTEST_SECRET_BYTES: Final = 32
_CORRECT: Final = Words("请改正。", "Correct it.")


def _email(value: str) -> str:
    # fullmatch: a line break at the end would begin a header of its own.
    if not _EMAIL.fullmatch(value):
        raise BadValueError(
            Words(f"{value!r} 不是电子邮件地址", f"{value!r} is no e-mail address"), _CORRECT
        )
    return value


def _host(value: str) -> str:
    if not _HOST.fullmatch(value):
        raise BadValueError(Words(f"{value!r} 不是主机名", f"{value!r} is no host name"), _CORRECT)
    return value


def _key_name(value: str) -> str:
    if not _KEY_NAME.fullmatch(value):
        raise BadValueError(
            Words(
                f"{value!r} 不是密钥文件夹里的文件名",
                f"{value!r} is no file name in the keys folder",
            ),
            _CORRECT,
        )
    return value


def origin(url: str) -> str:
    """Return scheme, host and port of a URL; ValueError where it is none that may be called."""
    if not _PRINTABLE_URL.fullmatch(url):
        raise BadValueError(
            Words("webhook 的地址只能用普通字符", "a webhook's address has plain characters only"),
            _CORRECT,
        )
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadValueError(
            Words(
                "webhook 的地址须以 http:// 或 https:// 开头并写明主机",
                "a webhook's address begins with http:// or https:// and names a host",
            ),
            _CORRECT,
        )
    if parts.username is not None or parts.password is not None or parts.fragment or "\\" in url:
        raise BadValueError(
            Words(
                "webhook 的地址不得含用户、密码或片段",
                "a webhook's address has no user, password or fragment",
            ),
            _CORRECT,
        )
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return f"{parts.scheme}://{parts.hostname.casefold()}:{port}"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


_Email = Annotated[str, AfterValidator(_email)]
_KeyName = Annotated[str, AfterValidator(_key_name)]
Via = Literal["email", "webhook"]


class Smtp(_Part):
    """The mail server; a password is never sent but under TLS."""

    host: Annotated[str, AfterValidator(_host)]
    port: int = Field(default=587, ge=1, le=65_535)
    sender: _Email
    starttls: bool = True
    username: str | None = None
    password_file: _KeyName | None = None

    @model_validator(mode="after")
    def _is_safe(self) -> Smtp:
        if (self.username is None) != (self.password_file is None):
            raise BadValueError(
                Words(
                    "username 与 password_file 须同时写", "username and password_file come together"
                ),
                _CORRECT,
            )
        if self.username is not None and not self.starttls:
            raise BadValueError(Words("用密码须开 starttls", "a password needs starttls"), _CORRECT)
        return self


class Webhooks(_Part):
    """The origins that may be called."""

    allow: tuple[str, ...] = ()


class To(_Part):
    """An address of a body, for all of its notices or those of some roles."""

    body: str = Field(min_length=1, max_length=63)
    roles: tuple[str, ...] = ()
    email: _Email | None = None
    webhook: str | None = None
    secret_file: _KeyName | None = None

    @model_validator(mode="after")
    def _is_one(self) -> To:
        if (self.email is None) == (self.webhook is None):
            raise BadValueError(
                Words("email 与 webhook 须写且只写其一", "name either email or webhook"), _CORRECT
            )
        if (self.webhook is None) != (self.secret_file is None):
            raise BadValueError(
                Words("webhook 与 secret_file 须同时写", "webhook and secret_file come together"),
                _CORRECT,
            )
        return self

    @property
    def via(self) -> Via:
        """How this address is reached."""
        return "email" if self.email is not None else "webhook"

    @property
    def address(self) -> str:
        """The e-mail address or the URL."""
        return self.email or self.webhook or ""

    def hears(self, body: str, role: str) -> bool:
        """Tell whether a notice to a role of a body goes here."""
        return self.body == body and (not role or not self.roles or role in self.roles)


class Book(_Part):
    """All addresses."""

    smtp: Smtp | None = None
    webhooks: Webhooks = Webhooks()
    to: tuple[To, ...] = ()

    @model_validator(mode="after")
    def _is_whole(self) -> Book:
        allowed = {origin(o) for o in self.webhooks.allow}
        for entry in self.to:
            if entry.webhook is not None and origin(entry.webhook) not in allowed:
                called = origin(entry.webhook)
                raise BadValueError(
                    Words(f"{called} 不在 webhooks.allow 里", f"{called} is not in webhooks.allow"),
                    _CORRECT,
                )
            if entry.email is not None and self.smtp is None:
                raise BadValueError(
                    Words(
                        f"{entry.email} 需要邮件服务器：[smtp]",
                        f"{entry.email} needs a mail server: [smtp]",
                    ),
                    _CORRECT,
                )
        return self

    def listening(self, body: str, role: str) -> list[To]:
        """Return each address that hears a notice, once."""
        return list({e.address: e for e in self.to if e.hears(body, role)}.values())

    def find(self, address: str) -> To | None:
        """Return the entry of an address."""
        return next((e for e in self.to if e.address == address), None)


def read_book(home: Home) -> Book:
    """Read the home's addresses; none where there is no file.

    Raises:
        UsageError: The file does not read, and where.
    """
    path = home.root / FILE
    if not path.exists():
        return Book()
    try:
        return Book.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            Words(f"{path} 不是 TOML：{error}。", f"{path} is no TOML: {error}."), _CORRECT
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        wrong = _told(first)
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(
            Words(
                f"{path}：{where or '整个文件'}：{wrong.zh}。",
                f"{path}: {where or 'the file'}: {wrong.en}.",
            ),
            _CORRECT,
        ) from error


def _told(error: ErrorDetails) -> Words:
    """Return what is wrong: in our own words, or in pydantic's."""
    ours = error.get("ctx", {}).get("error")
    if isinstance(ours, BadValueError) and isinstance(ours.problem, Words):
        return ours.problem
    return Words(error["msg"], error["msg"])


def read_secret(home: Home, name: str, shortest_bytes: int = _SHORTEST_SECRET_BYTES) -> bytes:
    """Return a secret of the keys folder, without the line's end.

    Raises:
        UsageError: It is not there, is too short, or others than its owner may read it.
    """
    path = home.keys / name
    try:
        secret = path.read_bytes().rstrip(b"\r\n")
        mode = path.stat().st_mode
    except OSError as error:
        raise UsageError(
            Words(f"密钥 {path} 无法读取。", f"The secret {path} cannot be read."),
            Words("请把它写在那里。", "Write it there."),
        ) from error
    if mode & 0o077:
        raise UsageError(
            Words(f"{path} 可被他人读取。", f"Others may read {path}."),
            Words(f"请执行 chmod 600 {path}。", f"Run: chmod 600 {path}."),
        )
    if len(secret) < shortest_bytes:
        raise UsageError(
            Words(
                f"密钥 {path} 不足 {shortest_bytes} 字节。",
                f"The secret {path} has less than {shortest_bytes} bytes.",
            ),
            Words("请随机生成一个。", "Make a random one."),
        )
    return secret

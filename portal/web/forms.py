"""Forms as they come in: read once at the edge, no larger than ours are, unknown fields ignored."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contracts.errors import UsageError
from contracts.words import Words
from portal.web.errors import TooLargeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

#: The largest form (bytes), and the most fields it may have.
FORM_BYTES: Final = 256 * 1024
_MOST_FIELDS: Final = 2000
_KIND: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Fields:
    """A form's fields as they were typed, passwords among them; each may come several times."""

    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)

    def one(self, name: str) -> str:
        """Return a field's first value; empty where there is none."""
        return self.values.get(name, ("",))[0]

    def every(self, name: str) -> tuple[str, ...]:
        """Return all values of a field."""
        return self.values.get(name, ())

    def below(self, prefix: str) -> Mapping[str, str]:
        """Return the fields whose names begin with a prefix, by the rest of the name."""
        return {
            name.removeprefix(prefix): values[0]
            for name, values in self.values.items()
            if name.startswith(prefix)
        }


class Form(BaseModel):
    """A form of ours: its fields are required unless they have a default; others are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Return the form; UsageError names the first field that is wrong."""
        given = {name: fields.one(name) for name in cls.model_fields if fields.every(name)}
        try:
            return cls.model_validate(given)
        except ValidationError as bad:
            first = bad.errors(include_url=False, include_context=False)[0]
            place = ".".join(map(str, first["loc"]))
            said = first["msg"]
            lacks = "必填" if first["type"] == "missing" else said
            raise UsageError(
                Words(f"表单有误，{place}：{lacks}。", f"The form is not right, {place}: {said}."),
                Words("请改正后再提交。", "Mend it, and send again."),
            ) from None


class LoginForm(Form):
    """Who wants to come in."""

    name: str
    password: str = Field(repr=False)


class PasswordForm(Form):
    """A change of one's own password; ``again`` guards against a slip of the finger."""

    old: str = Field(repr=False)
    new: str = Field(repr=False)
    again: str = Field(repr=False)


class UseForm(Form):
    """One use of delivered data (Decree 809, Art. 29)."""

    scenario: str
    process: str
    effect: str
    storage: str


class CorrectionForm(Form):
    """What is wrong, in data of which source (``contract/provider``)."""

    source: str
    said: str


class AnswerForm(Form):
    """How a correction is answered."""

    answer: str
    reason: str


class AccountForm(Form):
    """A new account."""

    name: str
    body: str


async def read_fields(request: Request) -> Fields:
    """Read a form's body, and no more of it than ``FORM_BYTES``.

    Raises:
        TooLargeError: The body is larger, or has too many fields.
        UsageError: It is no form.
    """
    too_large = TooLargeError(
        Words(f"表单太长，最多 {FORM_BYTES} 字节。", f"A form has at most {FORM_BYTES} bytes."),
        Words("请写短一些。", "Write less."),
    )
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _KIND:
        raise UsageError(
            Words("提交的内容不是表单。", "The body is no form."),
            Words(f"请用本站页面提交（{_KIND}）。", f"Send it as {_KIND}."),
        )
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared) > FORM_BYTES:
        raise too_large
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_BYTES:
            raise too_large
    return _fields(bytes(body))


def _fields(body: bytes) -> Fields:
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except UnicodeError:
        raise UsageError(
            Words("表单不是 UTF-8 编码。", "The form is not in UTF-8."),
            Words("请用本站页面提交。", "Send it by a page of ours."),
        ) from None
    except ValueError:
        raise TooLargeError(
            Words(
                f"表单栏目太多，最多 {_MOST_FIELDS} 个。",
                f"A form has at most {_MOST_FIELDS} fields.",
            ),
            Words("请分次提交。", "Send it in parts."),
        ) from None
    found: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        found[name] = (*found.get(name, ()), value)
    return Fields(found)

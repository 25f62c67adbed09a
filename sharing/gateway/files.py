"""The file endpoint: what a signed URL opens, with ranges."""

from __future__ import annotations

import re
import stat
from typing import TYPE_CHECKING

from starlette.responses import FileResponse, RedirectResponse

from sharing.gateway.errors import ApiError, not_found
from sharing.tables.storage import Bucket

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from sharing.tables.datafile import StoredFile
    from sharing.tables.storage import Method

#: A redirection is followed at once.
_REDIRECT_LIFE_S = 30
_ONE_RANGE = re.compile(r"bytes=(\d{1,18})-(\d{0,18})|bytes=-(\d{1,18})")


class _FileAnswer(FileResponse):
    """A file in large pieces: each costs a turn of the loop and of a thread."""

    chunk_size = 1 << 20


def file_answer(request: Request, file: StoredFile) -> Response:
    """Answer GET and HEAD with the file, whole (200) or one range of it (206).

    Several ranges, or one that cannot be read, get the whole file, as RFC 9110 § 14.2 allows. What
    lies in a bucket is answered with a URL that its store signed (307), and the store has ranges.

    Raises:
        ApiError: The range lies behind the end (416), or the file is gone (404).
    """
    if isinstance(file.root, Bucket):
        method: Method = "HEAD" if request.method == "HEAD" else "GET"
        url = file.root.sign(file.key, _REDIRECT_LIFE_S, method)
        return RedirectResponse(url, 307, {"Cache-Control": "no-store"})
    path = file.root.path / file.key
    try:
        found = path.lstat()
    except OSError as gone:
        raise not_found() from gone
    if not stat.S_ISREG(found.st_mode) or found.st_size != file.size_bytes:
        raise not_found()
    wanted = request.headers.get("range")
    parts = _ONE_RANGE.fullmatch(wanted.strip()) if wanted else None
    if wanted and parts is None:
        request.scope["headers"] = [h for h in request.scope["headers"] if h[0] != b"range"]
    if parts is not None and _is_behind_the_end(parts, file.size_bytes):
        raise ApiError(
            416,
            "INVALID_PARAMETER_VALUE",
            "The range lies behind the end of the file.",
            {"Content-Range": f"bytes */{file.size_bytes}"},
        )
    return _FileAnswer(
        path,
        media_type="application/octet-stream",
        headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
        stat_result=found,
    )


def _is_behind_the_end(parts: re.Match[str], size_bytes: int) -> bool:
    first, last, suffix = parts.groups()
    if suffix is not None:
        return int(suffix) == 0
    return int(first) >= size_bytes or (last != "" and int(last) < int(first))

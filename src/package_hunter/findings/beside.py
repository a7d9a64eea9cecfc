"""What a request carries beside its body: in its address, its cookies, and headers that no protocol asks for.

Secrets that were encrypted leave in a header as well as in a body. Left out is what anybody's requests hold: the
headers that HTTP and its clients write by themselves, credentials (secrets in those are found as canaries), and digests
in addresses.
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from package_hunter.findings.traffic import is_opaque
from package_hunter.model.observation import Request

MAX_QUERY = 256  # bytes; a longer query string is data, not an address

# RFC 9110's request headers and those that browsers, proxies and tracing write; lower case
_USUAL = frozenset(
    (
        "accept", "accept-charset", "accept-encoding", "accept-language", "age", "alt-used", "authorization",
        "b3", "cache-control", "connection", "content-encoding", "content-language", "content-length", "content-md5",
        "content-type", "cookie", "date", "digest", "dnt", "expect", "forwarded", "from", "host", "if-match",
        "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "keep-alive", "max-forwards", "origin",
        "pragma", "proxy-authorization", "range", "referer", "signature", "signature-input", "te", "traceparent",
        "tracestate", "trailer", "transfer-encoding", "upgrade", "upgrade-insecure-requests", "user-agent", "via",
        "x-amz-content-sha256", "x-forwarded-for",
    )
)  # fmt: skip
_USUAL_BEGINNINGS = ("sec-", "access-control-")
# how services name the header that their clients show who they are with (``x-api-key``, ``private-token``)
_CREDENTIALS = re.compile(r"(?:^|[-_])(?:\w*token|\w*key|auth\w*|session\w*|signature|secret|credentials?)$")
# SHA-1 to SHA-512 in hex, as addresses of archives and blobs have them
_DIGEST = re.compile(
    rb"(?<![0-9A-Fa-f])(?:[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})(?![0-9A-Fa-f])"
)


def split(url: str) -> SplitResult:
    """A request's address in its parts; of one that has none, all is its path."""
    try:
        return urlsplit(url)
    except ValueError:  # a hostile client may ask for anything
        return SplitResult("", "", url, "", "")


def values(request: Request, header: str) -> list[str]:
    """The values of a header; its name in lower case."""
    return [value for name, value in request.headers if name.lower() == header]


def said_beside(request: Request) -> bytes:
    """Path, query, cookies and the program's own headers, a line each."""
    url = split(request.url)
    return b"\n".join(map(_raw, (url.path, url.query, *values(request, "cookie"), *_own(request))))


def hidden_beside(request: Request) -> int:
    """How many bytes of that are something that nobody can read; 0 where all can be read."""
    url = split(request.url)
    parts = (url.path, url.query, *values(request, "cookie"), *_own(request))
    plain = (_DIGEST.sub(b"", _raw(part)) for part in parts)
    return sum(len(part) for part in plain if is_opaque(part))


def _own(request: Request) -> list[str]:
    return [value for name, value in request.headers if not _is_usual(name.lower())]


def _is_usual(name: str) -> bool:
    return name in _USUAL or name.startswith(_USUAL_BEGINNINGS) or bool(_CREDENTIALS.search(name))


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "replace")

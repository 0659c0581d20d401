"""Secrets by their shape and by their value: what is cut out of every log, brief and report.

Used at the sinks (log filter, events, reports) and, for shapes only, by adapters/secretscan on a diff. It refuses to
return a secret: callers learn a kind and a place, or get the text without it. Patterns miss what has no shape, so
exact values come first; a log is never trusted to be clean because no pattern matched.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote

#: Shorter values are not searched for: `a` or `dev` as a password would blank out every text.
SHORTEST = 6


_LINE = 16
"""Shorter pieces of a value are not looked for by themselves."""
_BREAK = re.compile(r"\s|\\{1,4}[nrt]")
"""What stands between lines: as it is, and escaped in JSON."""


class Shape(NamedTuple):
    """How one kind of secret looks, and literals of which one must be there: a log of 5 MB is searched in a moment."""

    kind: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]


def _shape(kind: str, hints: str, pattern: str) -> Shape:
    return Shape(kind, tuple(hints.split()), re.compile(pattern))


#: The one shape that goes over several lines.
PRIVATE_KEY = _shape(
    "private key",
    "-----BEGIN",
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    # The body never runs over another dashed line and never gives back: a log full of BEGINs stays linear.
    r"(?:(?:[A-Za-z0-9+/=\s:,.\\]|-(?!----)){0,20000}+-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"|(?:\s{0,4}[A-Za-z0-9+/=]{16,200}){0,400})",
)

SHAPES: tuple[Shape, ...] = (
    PRIVATE_KEY,
    _shape(
        "GitHub token",
        "ghp_ gho_ ghs_ ghu_ ghr_ github_pat_",
        r"\b(?:gh[opsur]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{22,255})",
    ),
    _shape("GitLab token", "glpat- glptt- gldt- glrt- glcbt-", r"\bgl(?:pat|ptt|dt|rt|cbt)-[A-Za-z0-9_-]{20,255}"),
    _shape("Anthropic key", "sk-ant-", r"\bsk-ant-[A-Za-z0-9_-]{16,255}"),
    _shape("OpenAI key", "sk-", r"\bsk-(?:(?:proj|svcacct|admin)-[A-Za-z0-9_-]{20,255}|[A-Za-z0-9]{20,255})"),
    _shape("Sentry token", "sntrys_ sntryu_", r"\bsntry[su]_[A-Za-z0-9=+/_.-]{20,600}"),
    _shape("Linear key", "lin_", r"\blin_(?:api|oauth)_[A-Za-z0-9]{20,255}"),
    _shape("Doppler token", "dp.", r"\bdp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{20,255}"),
    _shape("npm token", "npm_", r"\bnpm_[A-Za-z0-9]{30,255}"),
    _shape("PyPI token", "pypi-", r"\bpypi-[A-Za-z0-9_-]{30,600}"),
    _shape(
        "Slack token",
        "xox hooks.slack.com",
        r"\bxox[abeoprs]-[A-Za-z0-9-]{10,255}|\bhooks\.slack\.com/services/[A-Za-z0-9/]{20,120}",
    ),
    _shape("Stripe key", "k_live_ k_test_", r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,255}"),
    _shape("AWS key", "AKIA ASIA ABIA ACCA", r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b"),
    _shape("Google key", "AIza GOCSPX-", r"\bAIza[0-9A-Za-z_-]{35}|\bGOCSPX-[A-Za-z0-9_-]{20,60}"),
    _shape("SendGrid key", "SG.", r"\bSG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,64}"),
    _shape("Twilio key", "SK", r"\bSK[0-9a-f]{32}\b"),
    _shape("JSON web token", "eyJ", r"\beyJ[A-Za-z0-9_-]{8,2000}\.eyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{0,1000}"),
    _shape(
        "named secret",
        "oken OKEN ecret ECRET assw ASSW key KEY Key",
        r"(?i:(?:token|secret|passwd|password|api[_-]?key|access[_-]?key)['\"]?(?:\s{0,3}[:=]\s{0,3}|\s)['\"]?)"
        r"(?:[0-9a-f]{32,128}|[0-9A-F]{32,128})(?![0-9A-Za-z])",
    ),
    _shape(
        "authorization header",
        "uthorization AUTHORIZATION",
        r"(?i:\bauthorization['\"]?\s{0,3}[:=]\s{0,3}['\"]?(?:bearer|basic|token)\s{1,3})[^\s'\"]{8,4000}",
    ),
    # `$`, `<`, `{`, `%` and `*` start a placeholder, not a password.
    _shape("password in a URL", "://", r"://[^\s:/@'\"<>]{0,100}:[^\s/@'\"<>${*%][^\s/@'\"<>]{1,200}@"),
)

# While a text is worked on, marks are single characters of the private-use area: no value and no shape matches them,
# so what was redacted once is never cut again, and a second pass changes nothing.
_PLAIN = ("[redacted]", "\ue000")
_MARKS = (_PLAIN, *((f"[redacted {shape.kind}]", chr(0xE001 + at)) for at, shape in enumerate(SHAPES)))


def kinds_in(line: str) -> tuple[str, ...]:
    """The kinds of secret whose shape occurs in `line`; never the secret."""
    return tuple(shape.kind for shape in SHAPES if _hinted(shape, line) and shape.pattern.search(line))


def redact(text: str, known_values: Iterable[str] = ()) -> str:
    """`text` without the known values (also base64, URL, hex and JSON encoded) and without anything of a known shape.

    Doing it twice changes nothing more.
    """
    if not text:
        return text
    for mark, char in _MARKS:
        text = text.replace(mark, char)
    exact = _exact(tuple(known_values))
    for form in exact:
        text = text.replace(form, _PLAIN[1])
    text = _across_breaks(text, exact) if exact else text
    before = ""
    while text != before:  # what is cut may part two words, and the second be a secret; each round only shortens
        before = text
        for shape, (_, char) in zip(SHAPES, _MARKS[1:], strict=True):
            if _hinted(shape, text):
                text = _cut(shape, char, text)
    for mark, char in _MARKS:
        text = text.replace(char, mark)
    return text


@lru_cache(maxsize=16)
def _exact(values: tuple[str, ...]) -> tuple[str, ...]:
    """All forms of these values, the longest first. A process knows the same few for hours."""
    found = {form for value in values if len(value) >= SHORTEST for form in forms(value)}
    return tuple(sorted(found, key=len, reverse=True))


def forms(value: str) -> frozenset[str]:
    """Every way in which `value` may stand in a log: itself, URL and JSON encoded, in hex, and inside base64."""
    raw = value.encode(errors="surrogatepass")
    escaped = json.dumps(value)[1:-1]
    plain = {value, quote(raw, safe=""), quote(raw), repr(value)[1:-1], raw.hex(), raw.hex().upper()}
    plain |= {_lower_percents(form) for form in plain}
    plain |= {escaped, json.dumps(escaped)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}  # JSON in JSON: twice
    lines = {line for line in value.splitlines() if len(line) >= _LINE}  # a file that is a secret, printed line by line
    return frozenset(form for form in plain | lines | _base64_forms(raw) if len(form) >= SHORTEST)


def _lower_percents(form: str) -> str:
    return re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), form)


def _across_breaks(text: str, exact: Iterable[str]) -> str:
    """`text` without the forms that go over several lines in it, as `base64` and `fold` write them.

    They are looked for in the text without its breaks, which is quick; what is there is then cut out where it stands.
    """
    whole = _BREAK.sub("", text)
    for form in exact:
        letters = _BREAK.sub("", form)
        if len(letters) >= _LINE and letters in whole:
            text = re.sub(f"(?:{_BREAK.pattern}){{0,9}}".join(map(re.escape, letters)), _PLAIN[1], text)
    return text


def _base64_forms(raw: bytes) -> set[str]:
    """`raw` in base64 at each of the three alignments: in `user:token` it starts anywhere."""
    found = set()
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + raw).decode()
        # Characters that also carry bits of a neighbour differ from text to text, so they are left out.
        core = text[(shift * 8 + 5) // 6 : (shift + len(raw)) * 8 // 6]
        found |= {core, core.replace("+", "-").replace("/", "_")}
    return found


def _cut(shape: Shape, char: str, text: str) -> str:
    if shape is PRIVATE_KEY:
        return shape.pattern.sub(char, text)
    lines = text.splitlines(keepends=True)
    return "".join(shape.pattern.sub(char, line) if _hinted(shape, line) else line for line in lines)


def _hinted(shape: Shape, text: str) -> bool:
    return any(hint in text for hint in shape.hints)

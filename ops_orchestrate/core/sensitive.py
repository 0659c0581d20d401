"""Which work a person has to look at: the seed's auth, payments, PII and secrets, by path and by word.

Words count as whole words, also inside `authMiddleware` and `API_KEY`; "author" is not auth and "tokenizer"
is no token. What a file's name says stands in pathclass.py. It marks, it never clears: the diff that an agent
really made is judged again with the same rule, so a text that avoids every word gains nothing. The owner's
globs are added, none is ever taken away.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.ownership import covers
from ops_orchestrate.core.pathclass import is_secret_file, sensitive_word

#: Area to the words and phrases (words parted by one space) that mark it, in texts and in paths.
WORDS: dict[str, tuple[str, ...]] = {
    "auth": (
        "auth", "authn", "authz", "authenticate", "authenticated", "authentication",
        "authenticator", "authorise", "authorize", "authorized", "authorised", "authorization",
        "authorisation", "oauth", "oauth2", "oidc", "openid", "saml", "sso", "ldap", "login",
        "logout", "signin", "signup", "sign in", "jwt", "csrf", "xsrf", "mfa", "2fa", "otp", "totp",
        "webauthn", "passkey", "rbac", "acl", "iam", "permission", "session cookie",
        "impersonation",
    ),
    "payments": (
        "payment", "payout", "billing", "invoice", "refund", "chargeback", "subscription", "stripe",
        "paypal", "adyen", "braintree", "revenuecat", "iban", "sepa", "pci", "credit card",
        "card number", "wallet",
    ),
    "PII": (
        "pii", "gdpr", "ccpa", "hipaa", "ssn", "passport", "personal data",
        "personally identifiable", "personal information", "social security", "date of birth",
        "medical record", "health record",
    ),
    "secrets": (
        "secret", "credential", "password", "passwd", "passphrase", "token", "api key", "apikey",
        "access key", "private key", "signing key", "encryption key", "keystore", "keychain",
        "service account", "dotenv",
    ),
}  # fmt: skip

#: Words that mark an area in a path only; in a text they would say too little.
_PATH_AREAS = {
    "checkout": "payments", "checkouts": "payments", "privacy": "PII",
    "crypto": "secrets", "cryptography": "secrets", "encryption": "secrets",
    "kms": "secrets", "vault": "secrets",
}  # fmt: skip

#: Phrases that hold one of the words and mean something harmless.
_HARMLESS = ("design token", "design tokens")

# `HTTPSLogin` is HTTPS and Login; `2FA` is found by the plain words beside these.
_CAMEL = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")
_PLAIN = re.compile(r"[a-z0-9]+")


_AREA = {word: area for area, group in WORDS.items() for word in group}
_WORD = re.compile(
    r"(?<![a-z0-9])(" + "|".join(map(re.escape, sorted(_AREA, key=len, reverse=True))) + r")s?(?![a-z0-9])"
)
# Most texts hold none of these even as a part of a word, and need no closer look.
_HINT = re.compile("|".join(sorted({re.escape(word.split()[0]) for word in _AREA})))
_HARMLESS_RE = re.compile("|".join(_HARMLESS))


def sensitive_reason(
    paths: Sequence[str] = (), texts: Iterable[str] = (), extra_globs: Sequence[str] = ()
) -> str | None:
    """Why a person has to review this, as a half sentence for the board; None if nothing marks it.

    `paths` are files of a diff or declared patterns, `extra_globs` the owner's own sensitive paths.
    """
    for path in paths:
        found = _path_reason(path, tuple(extra_globs))
        if found:
            return found
    for text in texts:
        word = _word_in(text) if text else None
        if word:
            return f"{_AREA[word]}: its text says “{word}”"
    return None


@lru_cache(maxsize=8192)
def _path_reason(path: str, extra_globs: tuple[str, ...]) -> str | None:
    shown = one_line(path, 100)
    # A declared folder `infra/` is as sensitive as what lies in it.
    inside = f"{path}**" if path.endswith("/") else path
    if extra_globs and covers(extra_globs, inside):
        return f"the owner marked {shown}"
    if is_secret_file(path):
        return f"secrets: {shown}"
    word = _word_in(path)
    if word:
        return f"{_AREA[word]}: {shown}"
    word = sensitive_word(path)
    return f"{_PATH_AREAS.get(word, 'auth')}: {shown}" if word else None


def _word_in(text: str) -> str | None:
    if not _HINT.search(text.lower()):
        return None
    for form in (" ".join(_PLAIN.findall(text.lower())), " ".join(_CAMEL.findall(text)).lower()):
        found = _WORD.search(_HARMLESS_RE.sub(" ", form))
        if found:
            return found[1]
    return None

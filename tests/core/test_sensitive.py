"""Sensitive work: whole words, also in identifiers and paths; the owner's globs beside the built-in ones."""

from __future__ import annotations

import pytest

from ops_orchestrate.core.sensitive import WORDS, sensitive_reason


@pytest.mark.parametrize(
    ("text", "area"),
    [
        ("fix: resolve auth middleware race condition", "auth"),
        ("rename authMiddleware", "auth"),
        ("OAuth2 callback loses state", "auth"),
        ("Users cannot LOGIN", "auth"),
        ("2FA codes are refused", "auth"),
        ("check permissions twice", "auth"),
        ("Refunds are booked twice", "payments"),
        ("credit-card form", "payments"),
        ("Stripe webhook retries", "payments"),
        ("export holds PII", "PII"),
        ("delete personal data after a year", "PII"),
        ("rotate API_KEY", "secrets"),
        ("read apiKey from the vault", "secrets"),
        ("log shows the password", "secrets"),
        ("refreshToken expires", "secrets"),
    ],
)
def test_words_that_mark(text: str, area: str) -> None:
    reason = sensitive_reason(texts=["harmless", text])
    assert reason is not None
    assert reason.startswith(f"{area}: ")


@pytest.mark.parametrize(
    "text",
    [
        "show the author of a post",
        "authored by two authors, an authority",
        "speed up the tokenizer",
        "tokenize input lazily",
        "secretary of state",
        "rename design tokens",
        "git checkout fails in CI",
        "iambic pentameter",
        "a spice shop",
        "",
    ],
)
def test_words_that_only_look_alike(text: str) -> None:
    assert sensitive_reason(texts=[text]) is None


@pytest.mark.parametrize(
    ("path", "area"),
    [
        ("src/middleware/auth.ts", "auth"),
        ("tests/auth/", "auth"),
        ("src/auth/**", "auth"),
        ("app/sessions/store.py", "auth"),
        ("shop/checkout/cart.py", "payments"),
        ("src/billingService.ts", "payments"),
        ("lib/gdpr_export.rb", "PII"),
        ("config/.env.production", "secrets"),
        ("deploy/server.pem", "secrets"),
        ("src/crypto/aes.go", "secrets"),
    ],
)
def test_paths_that_mark(path: str, area: str) -> None:
    assert (sensitive_reason([path]) or "").startswith(f"{area}: {path}")


@pytest.mark.parametrize("path", ["src/author.py", "lib/tokenizer/core.rs", "docs/index.md", "src/**"])
def test_paths_that_do_not(path: str) -> None:
    assert sensitive_reason([path]) is None


@pytest.mark.parametrize("path", ["infra/main.tf", "infra/", "infra/net/*.tf"])
def test_the_owners_globs_are_added(path: str) -> None:
    assert sensitive_reason([path], extra_globs=["infra/"]) == f"the owner marked {path}"
    assert sensitive_reason([path]) is None


def test_every_word_marks_its_area() -> None:
    for area, words in WORDS.items():
        for word in words:
            assert (sensitive_reason(texts=[f"about {word}, again"]) or "").startswith(f"{area}: "), word

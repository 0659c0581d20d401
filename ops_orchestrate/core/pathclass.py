"""What a path in a repository is: a secrets file, CI configuration, a manifest, a test, something sensitive.

Compared folded (compatibility form, case, invisible characters), because `.ENV`, `.Github` and their look-alikes
are the same file on somebody's disk. Only names are looked at here, never contents.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import lru_cache
from itertools import pairwise


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_SECRET_NAMES = _words(
    ".env .env.* *.env .envrc .envrc.* *.pem *.key *.p12 *.pfx *.p8 *.jks *.keystore *.kdbx *.ppk *.gpg *.pgp "
    "id_rsa* id_dsa* id_ecdsa* id_ed25519* credentials credentials.json credentials.y*ml credentials.xml "
    "credentials.ini credentials.toml credentials.csv credentials.txt credentials.enc credentials.db *.credentials "
    "secrets secret secrets.json secrets.y*ml secrets.toml secrets.ini secrets.env secrets.properties secrets.enc "
    "secrets.txt secrets.xml secret.json secret.y*ml secret.toml secret.txt .netrc _netrc .pgpass .npmrc .pypirc "
    ".htpasswd .git-credentials .dockercfg .dockerconfigjson .vault-token .boto .s3cfg kubeconfig *.kubeconfig "
    "service-account*.json service_account*.json *serviceaccount*.json *.tfvars *.tfvars.json *.tfstate "
    "*.tfstate.backup .doppler.y*ml"
)
_SECRET_FOLDERS = frozenset({".ssh", ".aws", ".gnupg", ".kube", ".azure", ".gcloud"})
#: Filled-in templates are the usual leak, but the template itself is made to be committed: a person may let it pass.
_TEMPLATES = tuple(f"*.env{end}" for end in (".example", ".sample", ".template", ".dist", ".defaults"))
_BARE_KEY = re.compile(r"id_[a-z0-9_-]+(?:\.pub)?")

_CI_NAMES = _words(
    ".gitlab-ci* .travis.y*ml azure-pipelines* jenkinsfile* bitbucket-pipelines* .drone.y*ml appveyor.y*ml "
    ".appveyor.y*ml cloudbuild.y*ml codeowners .pre-commit-* lefthook.y*ml .lefthook.y*ml .cirrus.y*ml renovate.json "
    "dependabot.y*ml .huskyrc* .lintstagedrc*"
)
_AGENT_NAMES = _words(
    "agents.md agents.override.md claude.md claude.local.md gemini.md .mcp.json mcp.json .cursorrules .windsurfrules "
    ".clinerules opencode.json* .aider*"
)
_MANIFEST_NAMES = _words(
    "package.json package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml pnpm-workspace.yaml bun.lock* "
    "deno.json* deno.lock .yarnrc* pyproject.toml setup.py setup.cfg requirements*.txt requirements*.in "
    "constraints*.txt pipfile pipfile.lock poetry.lock uv.lock pdm.lock pixi.lock environment.y*ml cargo.toml "
    "cargo.lock build.rs go.mod go.sum go.work go.work.sum gemfile gemfile.lock *.gemspec composer.json composer.lock "
    "pom.xml build.gradle* settings.gradle* gradle.properties gradle.lockfile *.csproj *.fsproj *.sln "
    "directory.packages.props packages.lock.json nuget.config mix.exs mix.lock package.swift package.resolved podfile "
    "podfile.lock pubspec.y*ml pubspec.lock flake.nix flake.lock"
)
#: They decide what the gate runs, so editing one can turn a red gate green.
_GATE_NAMES = _words(
    "makefile gnumakefile justfile taskfile.y*ml tox.ini noxfile.py pytest.ini .coveragerc jest.config.* "
    "vitest.config.* karma.conf.* playwright.config.* cypress.config.* .mocharc* .rspec phpunit.xml* conftest.py "
    "sitecustomize.py usercustomize.py *.pth"
)
#: What parts the words of a gate's command line.
_GATE_PARTS = re.compile(r"[\s;&|()<>{}\"'`=:,$]+")
_HOOK_FOLDERS = frozenset({".husky", ".githooks", "githooks", ".github", ".gitlab", ".circleci", ".buildkite"})
_AGENT_FOLDERS = frozenset({".claude", ".cursor", ".codex", ".opencode", ".gemini", ".agents"})

_TEST_FOLDERS = frozenset({"test", "tests", "__tests__", "spec", "specs", "e2e"})
_TEST_NAMES = _words(
    "test_*.py *_test.py tests.py conftest.py *_test.go *.test.* *.spec.* *_spec.rb *_test.rb *_test.exs *_test.rs "
    "*test.java *tests.java *test.kt *tests.cs *test.cs *test.php *_test.cc *_test.cpp *_test.dart *_test.clj "
    "test_*.sh *.bats"
)

_SENSITIVE_WORDS = frozenset(
    _words(
        "auth oauth oauth2 authn authz authentication authorization login signin signup logout session sessions "
        "password passwords passwd credential credentials secret secrets token tokens jwt saml sso mfa totp "
        "2fa acl rbac iam permission permissions payment payments billing invoice invoices checkout stripe "
        "paypal payout payouts refund refunds subscription subscriptions pii gdpr privacy crypto cryptography "
        "encryption kms vault security"
    )
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@lru_cache(maxsize=8192)
def folded(path: str) -> str:
    """`path` as the laxest file system would compare it."""
    plain = "".join(c for c in unicodedata.normalize("NFKC", path) if unicodedata.category(c) != "Cf")
    return unicodedata.normalize("NFKC", plain.casefold())


def is_secret_file(path: str) -> bool:
    """Whether the name says that secrets are inside."""
    *folders, name = folded(path).split("/")
    if _SECRET_FOLDERS.intersection(folders) or (folders[-1:] == [".docker"] and name == "config.json"):
        return True
    return _any(name, (*_SECRET_NAMES, *_TEMPLATES)) or bool(_BARE_KEY.fullmatch(name))


def secret_globs() -> tuple[str, ...]:
    """Globs of such files' names, for rules of other programs; without the plain words, which name folders too."""
    return tuple(name for name in _SECRET_NAMES if not name.isalpha())


def is_secret_template(path: str) -> bool:
    """Whether it is a template of a secrets file, such as `.env.example`."""
    return _any(folded(path).rsplit("/", 1)[-1], _TEMPLATES)


def is_control_file(path: str) -> bool:
    """Whether it steers CI, reviews, hooks, agents, dependencies or the gate itself."""
    *folders, name = folded(path).split("/")
    if (_HOOK_FOLDERS | _AGENT_FOLDERS).intersection(folders):
        return True
    # `.planning` has a guard of its own, for the two files that people steer by.
    if folders and folders[0].startswith(".") and folders[0] != ".planning":
        return True
    return _any(name, (*_CI_NAMES, *_AGENT_NAMES, *_MANIFEST_NAMES, *_GATE_NAMES))


def gate_files(gate: str) -> tuple[str, ...]:
    """Names of files that a gate's command line may run: its words, and the modules after `-m`, folded."""
    words = [folded(word).removeprefix("./") for word in _GATE_PARTS.split(gate)]
    modules = [after.replace(".", "/") for word, after in pairwise(words) if word == "-m"]
    shadows = [f"{name}{end}" for name in modules for end in (".py", "/__init__.py", "/__main__.py")]
    return tuple(dict.fromkeys(word for word in (*words, *shadows) if word.strip("/.")))


def is_run_by(path: str, files: Iterable[str]) -> bool:
    """Whether the gate runs this very file (`files` are its `gate_files`); tests have a guard of their own."""
    name = folded(path)
    return not is_test_file(path) and any(name == file or name.endswith(f"/{file}") for file in files)


def is_planning_state(path: str) -> bool:
    """Whether it is one of the two planning files that only people edit."""
    return ("/" + folded(path)).endswith(("/.planning/state.md", "/.planning/roadmap.md"))


def is_test_file(path: str) -> bool:
    """Whether tests live in it, by the customs of the common languages."""
    *folders, name = folded(path).split("/")
    return bool(_TEST_FOLDERS.intersection(folders)) or _any(name, _TEST_NAMES)


def sensitive_word(path: str) -> str | None:
    """The word in the path that stands for authentication, payments, personal data or secrets, if any.

    Whole words only: `author.py` and `tokenizer.py` are not sensitive.
    """
    plain = unicodedata.normalize("NFKC", path)
    words = re.split(r"[^a-z0-9]+", _CAMEL.sub("_", plain).casefold())
    return next((word for word in words if word in _SENSITIVE_WORDS), None)


def _any(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)

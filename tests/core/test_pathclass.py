"""What a file's name says about it, also when it is written to be overlooked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core import pathclass

SECRETS = [
    ".env",
    ".env.local",
    "app/.env.production",
    "prod.env",
    ".envrc",
    "server.pem",
    "tls/server.key",
    "id_rsa",
    "id_ed25519",
    "keys/id_deploy",
    "keys/id_deploy.pub",
    "id_rsa.bak",
    "credentials",
    ".aws/credentials",
    "credentials.json",
    "config/credentials.yml",
    "secrets.yaml",
    "config/secrets.enc",
    ".netrc",
    ".npmrc",
    ".pypirc",
    ".git-credentials",
    ".ssh/config",
    ".docker/config.json",
    "infra/prod.tfvars",
    "terraform.tfstate",
    "service-account-prod.json",
    "release.keystore",
    ".ENV",
    ".Env.Local",
    "ID_RSA",
    "Credentials.JSON",
    "\uff0eenv",  # a full-width dot
    ".e\u200bnv",  # a zero-width space inside
    ".env\u00ad",  # a soft hyphen behind
]
PLAIN = [
    "environment.py",
    "env.py",
    "src/id_generator.py",
    "credentials.py",
    "secrets.py",
    "src/secret_store.go",
    "keyboard.ts",
    "docs/environment.md",
    "monkey",
    "pem.py",
    "Dockerfile",
    "config.json",
]


@pytest.mark.parametrize("path", SECRETS)
def test_a_secrets_file_is_known_by_its_name(path: str) -> None:
    assert pathclass.is_secret_file(path)


@pytest.mark.parametrize("path", PLAIN)
def test_a_file_about_secrets_is_not_a_secrets_file(path: str) -> None:
    assert not pathclass.is_secret_file(path)


@pytest.mark.parametrize("path", [".env.example", "app/.env.sample", "prod.env.template", ".ENV.Dist"])
def test_a_template_is_both_a_secrets_file_and_a_template(path: str) -> None:
    assert pathclass.is_secret_file(path)
    assert pathclass.is_secret_template(path)


def test_a_real_secrets_file_is_no_template() -> None:
    assert not pathclass.is_secret_template(".env.production")


CONTROL = [
    ".github/workflows/ci.yml",
    ".GitHub/x",
    "sub/.github/workflows/a.yml",
    ".gitlab-ci.yml",
    ".gitlab-ci/build.yml",
    "CODEOWNERS",
    "docs/CODEOWNERS",
    ".husky/pre-commit",
    ".githooks/pre-push",
    ".pre-commit-config.yaml",
    "AGENTS.md",
    "sub/CLAUDE.md",
    ".claude/settings.json",
    "sub/.claude/settings.json",
    ".mcp.json",
    ".vscode/tasks.json",
    "package.json",
    "package-lock.json",
    "uv.lock",
    "pyproject.toml",
    "requirements-dev.txt",
    "go.mod",
    "Cargo.lock",
    "Makefile",
    "tox.ini",
    "jest.config.ts",
    "pytest.ini",
    "tests/conftest.py",
    "src/sitecustomize.py",
]


@pytest.mark.parametrize("path", CONTROL)
def test_what_steers_ci_agents_dependencies_or_the_gate_is_known(path: str) -> None:
    assert pathclass.is_control_file(path)


@pytest.mark.parametrize(
    "path", ["src/main.py", "github/a.py", ".planning/phases/1.md", "docs/agents.rst", ".gitignore", "a/.b/c"]
)
def test_other_files_steer_nothing(path: str) -> None:
    assert not pathclass.is_control_file(path)


@pytest.mark.parametrize(
    ("gate", "path", "found"),
    [
        ("sh gate.sh", "gate.sh", True),
        ("sh gate.sh", "Gate.SH", True),
        ("sh gate.sh", "docs/gate.sh.md", False),
        ("./scripts/check --fast && echo ok", "scripts/check", True),
        ("cd web && ./check.sh; true", "web/check.sh", True),
        ("python tools/run.py>log", "tools/run.py", True),
        ("bash -c 'tools/lint.sh src'", "tools/lint.sh", True),
        ("bash -c 'tools/lint.sh src'", "src/a.py", False),
        ("PYTHONPATH=src python -m unittest discover tests", "src/unittest.py", True),
        ("PYTHONPATH=src python -m unittest discover tests", "unittest/__init__.py", True),
        ("PYTHONPATH=src python -m unittest discover tests", "src/tests.md", False),
        ("python -m my.checks", "my/checks.py", True),
        ("python -m pytest tests/test_a.py", "tests/test_a.py", False),
        ("python -m pytest tests/test_a.py", "src/a.py", False),
        ("make check", "src/make.py", False),
        ("", "a.py", False),
        ("/ . ./", "a", False),
    ],
)
def test_what_a_gates_command_runs(gate: str, path: str, found: bool) -> None:
    assert pathclass.is_run_by(path, pathclass.gate_files(gate)) is found


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".planning/STATE.md", True),
        (".Planning/roadmap.MD", True),
        ("apps/web/.planning/ROADMAP.md", True),
        (".planning/phases/01/STATE.md", False),
        ("planning/STATE.md", False),
        ("x.planning/STATE.md", False),
    ],
)
def test_the_two_planning_files_of_people(path: str, found: bool) -> None:
    assert pathclass.is_planning_state(path) is found


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("tests/a.py", True),
        ("src/test_a.py", True),
        ("pkg/a_test.go", True),
        ("web/a.test.tsx", True),
        ("web/a.spec.js", True),
        ("src/FooTest.java", True),
        ("spec/a_spec.rb", True),
        ("conftest.py", True),
        ("src/contest.py", False),
        ("src/latest.py", False),
        ("src/testimony.py", False),
    ],
)
def test_test_files_of_the_common_languages(path: str, found: bool) -> None:
    assert pathclass.is_test_file(path) is found


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("src/auth/login.py", "auth"),
        ("src/authMiddleware.ts", "auth"),
        ("src/OAuthClient.java", "auth"),
        ("billing/run.py", "billing"),
        ("src/HTTPSession.py", "session"),
        ("src/author.py", None),
        ("src/tokenizer.py", None),
        ("src/authority.py", None),
    ],
)
def test_sensitive_words_are_whole_words(path: str, word: str | None) -> None:
    assert pathclass.sensitive_word(path) == word


@given(st.text(max_size=60))
def test_folding_twice_is_folding_once_and_no_name_breaks_a_question(path: str) -> None:
    assert pathclass.folded(pathclass.folded(path)) == pathclass.folded(path)
    for ask in (
        pathclass.is_secret_file,
        pathclass.is_control_file,
        pathclass.is_test_file,
        pathclass.is_planning_state,
    ):
        assert ask(path) in {True, False}


@given(st.sampled_from(SECRETS + CONTROL), st.data())
def test_letter_case_hides_nothing(path: str, data: st.DataObject) -> None:
    mixed = "".join(c.upper() if data.draw(st.booleans()) else c for c in path)
    assert pathclass.is_secret_file(mixed) == pathclass.is_secret_file(path)
    assert pathclass.is_control_file(mixed) == pathclass.is_control_file(path)

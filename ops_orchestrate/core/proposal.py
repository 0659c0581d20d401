"""`ops-orchestrate init`: a registry out of the repositories that were found, with a gate proposed for each.

A proposal is read out of the repository's own files, which others may have written: it is shown with its
reason and becomes a gate only when the owner accepts it.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ops_orchestrate.core.names import is_name, slugify
from ops_orchestrate.core.value import Value

READ = (
    *("package.json", "pyproject.toml", "setup.cfg", "tox.ini"),
    *("Makefile", "makefile", "GNUmakefile", "justfile", "Justfile", ".justfile"),
)
"""Files whose text a proposal looks at; of all others only the name counts."""

_SCRIPTS = (("type-check", "typecheck"), ("lint",), ("test:unit", "test"))
_NO_TEST = "no test specified"
_TARGETS = ("check", "test")


class Proposal(Value):
    """A gate, and the file it was read from."""

    gate: str
    reason: str


class Candidate(Value):
    """A repository that was found, and what would be written for it."""

    alias: str
    path: str
    slug: str | None = None
    proposal: Proposal | None = None
    planning: bool = False


def propose_gate(names: Collection[str], texts: Mapping[str, str]) -> Proposal | None:
    """The quality command that a repository's files suggest; None where they suggest none.

    One that the project declares itself goes before one that is only usual for its language.

    `names` holds the paths of its files and folders, two levels deep; `texts` the content of those in READ.
    """
    declared = (_from_tests_of_node, _from_make, _from_just, _from_tox, _from_nox, _from_node)
    usual = (_from_python, _from_go, _from_cargo)
    return next((found for rule in (*declared, *usual) if (found := rule(names, texts))), None)


def unique_aliases(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """The candidates with aliases that are names and differ: `-2`, `-3` where two are called alike."""
    taken: set[str] = set()
    found = []
    for candidate in candidates:
        base = candidate.alias if is_name(candidate.alias) else slugify(candidate.alias)
        alias, number = base, 1
        while alias.casefold() in taken:
            number += 1
            alias = f"{base[:90]}-{number}"
        taken.add(alias.casefold())
        found.append(candidate.model_copy(update={"alias": alias}))
    return tuple(found)


def registry_text(candidates: Sequence[Candidate], *, owner: str = "") -> str:
    """A registry of the template schema. A proposal still in a candidate is one that the owner accepted."""
    projects = [_project(candidate, number) for number, candidate in enumerate(candidates, 1)]
    document = {"version": "1.0", "owner": owner, "projects": projects}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _project(candidate: Candidate, number: int) -> dict[str, Any]:
    project: dict[str, Any] = {"alias": candidate.alias, "paths": [candidate.path]}
    if candidate.slug:
        project |= {"repos": [candidate.slug], "org": candidate.slug.split("/")[0]}
    project |= {"type": "monorepo", "gsd": candidate.planning, "priority": min(number, 99)}
    if candidate.proposal:
        project["ops"] = {"gate": candidate.proposal.gate}
    return project


def _from_make(names: Collection[str], texts: Mapping[str, str]) -> Proposal | None:
    name = next((one for one in ("GNUmakefile", "makefile", "Makefile") if one in texts), None)
    if name is None:
        return None
    targets = set(re.findall(r"^([A-Za-z][\w-]*)\s*:(?!=)", texts[name], re.MULTILINE))
    target = next((one for one in _TARGETS if one in targets), None)
    return Proposal(gate=f"make {target}", reason=f"{name} has the target `{target}`") if target else None


def _from_just(names: Collection[str], texts: Mapping[str, str]) -> Proposal | None:
    name = next((one for one in ("justfile", "Justfile", ".justfile") if one in texts), None)
    recipes = dict(re.findall(_RECIPE, texts[name])) if name else {}
    # A recipe that wants to be told something cannot be run as it is.
    plain = [one for one in _TARGETS if all(word[0] == "*" or "=" in word for word in recipes.get(one, "?").split())]
    return Proposal(gate=f"just {plain[0]}", reason=f"{name} has the recipe `{plain[0]}`") if plain else None


_RECIPE = re.compile(r"^@?([A-Za-z][\w-]*)((?:[ \t]+[^\s:]+)*)[ \t]*:(?!=)", re.MULTILINE)


def _from_tox(names: Collection[str], texts: Mapping[str, str]) -> Proposal | None:
    marks = (
        (re.search(r"^\[(?:tox|testenv)\]", texts.get("tox.ini", ""), re.MULTILINE) is not None, "there is a tox.ini"),
        (_has_tool(texts.get("pyproject.toml", ""), "tox"), "pyproject.toml configures tox"),
        ("[tox:tox]" in texts.get("setup.cfg", ""), "setup.cfg configures tox"),
    )
    reason = next((why for holds, why in marks if holds), None)
    return Proposal(gate="tox run", reason=f"{reason}; {_INSTALLS}") if reason else None


def _from_nox(names: Collection[str], texts: Mapping[str, str]) -> Proposal | None:
    found = "noxfile.py" in names
    return Proposal(gate="nox", reason=f"there is a noxfile.py; {_INSTALLS}") if found else None


_INSTALLS = "it installs what it needs, from the hosts that you give it as `ops.gate_hosts`"


def _from_tests_of_node(names: Collection[str], texts: Mapping[str, str]) -> Proposal | None:
    tested = [
        name for name in _SCRIPTS[-1] if _NO_TEST not in _scripts(texts.get("package.json", "")).get(name, _NO_TEST)
    ]
    return _from_node(names, texts) if tested else None


def _from_node(names: Collection[str], texts: Mapping[str, str]) -> Proposal | None:
    scripts = _scripts(texts.get("package.json", ""))
    wanted = [next((name for name in group if name in scripts), None) for group in _SCRIPTS]
    chosen = [name for name in wanted if name and _NO_TEST not in scripts[name]]
    if not chosen:
        return None
    runner = next((tool for lock, tool in _LOCKS.items() if lock in names), "npm")
    gate = " && ".join(f"{runner} run {name}" for name in chosen)
    return Proposal(gate=gate, reason=f"package.json has the scripts {', '.join(chosen)}")


_LOCKS = {"pnpm-lock.yaml": "pnpm", "yarn.lock": "yarn", "bun.lock": "bun", "bun.lockb": "bun"}


def _scripts(text: str) -> dict[str, str]:
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    scripts = raw.get("scripts") if isinstance(raw, dict) else None
    pairs = scripts.items() if isinstance(scripts, dict) else ()
    return {name: line for name, line in pairs if isinstance(line, str)}


def _from_python(names: Collection[str], texts: Mapping[str, str]) -> Proposal | None:
    marks: tuple[tuple[bool, str], ...] = (
        ("pytest.ini" in names, "pytest.ini"),
        (_has_tool(texts.get("pyproject.toml", ""), "pytest"), "pyproject.toml configures pytest"),
        ("[tool:pytest]" in texts.get("setup.cfg", ""), "setup.cfg configures pytest"),
        (
            bool({"conftest.py", "tests/conftest.py", "test/conftest.py"} & set(names)),
            "there is a conftest.py",
        ),
    )
    reason = next((why for holds, why in marks if holds), None)
    src = ["src"] if any(_IN_SRC.fullmatch(name) for name in names) else []
    if reason:
        return Proposal(gate=f"{_search(src)}python3 -m pytest -q", reason=reason)
    folder = next((one for one in ("tests", "test", "") if _has_tests(one, names)), None)
    if folder is None:
        return None
    # The top level has to be importable, or a test cannot import what it tests.
    is_package = f"{folder}/__init__.py" in names
    where = f" -s {folder} -t ." if is_package else f" -s {folder}" if folder else ""
    top = ["."] if folder and not is_package else []
    return Proposal(
        gate=f"{_search(top + src)}python3 -m unittest discover{where}",
        reason=f"there are test_*.py files in {folder or 'the top folder'}",
    )


#: A package or module below `src`: nobody has installed it in the gate's clean checkout.
_IN_SRC = re.compile(r"src/[A-Za-z_]\w*(?:\.py)?")


def _search(folders: Sequence[str]) -> str:
    return f"PYTHONPATH={':'.join(folders)} " if folders else ""


def _has_tests(folder: str, names: Collection[str]) -> bool:
    pattern = re.compile(rf"{folder}/test_[^/]+\.py" if folder else r"test_[^/]+\.py")
    return any(pattern.fullmatch(name) for name in names)


def _has_tool(text: str, name: str) -> bool:
    try:
        tool = tomllib.loads(text).get("tool", {})
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        return False
    return isinstance(tool, dict) and name in tool


def _from_go(names: Collection[str], texts: Mapping[str, str]) -> Proposal | None:
    return Proposal(gate="go vet ./... && go test ./...", reason="there is a go.mod") if "go.mod" in names else None


def _from_cargo(names: Collection[str], texts: Mapping[str, str]) -> Proposal | None:
    found = "Cargo.toml" in names
    return Proposal(gate="cargo check && cargo test", reason="there is a Cargo.toml") if found else None

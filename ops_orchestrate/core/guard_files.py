"""The guards that look at names, modes and numbers of a change. Each is pure: a subject in, a refusal or None out.

They judge the old name of a renamed file like its new one: moving a file out of its place changes that place too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from ops_orchestrate.core import pathclass
from ops_orchestrate.core.change import FileChange
from ops_orchestrate.core.ownership import covers
from ops_orchestrate.core.refusal import Consequence, Refusal, Subject, named
from ops_orchestrate.core.sensitive import sensitive_reason

#: More files than this are not one task's worth (the rail of the seed's upstream).
MOST_FILES = 50

_LINK, _GITLINK, _EXECUTABLE, _ABSENT = "120000", "160000", "100755", "000000"


def secret_files(subject: Subject) -> Refusal | None:
    """No secrets file is added, changed, moved or deleted; its template needs a person."""
    touched = _touched(subject, pathclass.is_secret_file)
    if not touched:
        return None
    real = [path for path in touched if not pathclass.is_secret_template(path)]
    if real:
        return _refusal("secret-files", f"It touches secrets files: {named(real)}.", real, Consequence.BLOCK)
    detail = f"It touches templates of secrets files: {named(touched)}."
    return _refusal("secret-files", detail, touched, Consequence.ASK)


def secrets_in_diff(subject: Subject) -> Refusal | None:
    """No added line holds a secret. The kind and the place are shown, the value never."""
    if not subject.secrets:
        return None
    places = [f"{found.path} ({found.kind}, added line {found.line})" for found in subject.secrets]
    detail = f"It adds what looks like secrets: {named(places)}. Whatever is real has to be revoked."
    return _refusal("secrets-in-diff", detail, [found.path for found in subject.secrets], Consequence.BLOCK)


def ownership(subject: Subject) -> Refusal | None:
    """Only files of the task's own paths are changed. One more attempt may repair it, then a person decides."""
    paths = subject.spec.paths
    if not paths:
        return None
    outside = _touched(subject, lambda path: not covers(paths, path))
    if not outside:
        return None
    again = "ownership" in subject.refused_before
    detail = f"It changes files outside the task's paths ({named(paths)}): {named(outside)}."
    return _refusal("ownership", detail, outside, Consequence.ASK if again else Consequence.RETRY)


def special_files(subject: Subject) -> Refusal | None:
    """No links, submodules, git control files, new rights to execute, or names that are not plain paths."""
    found = {path: why for change in subject.diff.files for path, why in _specials(change)}
    folded: dict[str, str] = {}
    for change in subject.diff.files:
        # Two names that one file system holds for the same: one of them would overwrite the other.
        twin = folded.setdefault(pathclass.folded(change.path), change.path)
        if twin != change.path:
            found[change.path] = f"the same name as {named([twin])} where case is ignored"
    if found:
        listed = named(f"{path} ({why})" for path, why in found.items())
        return _refusal("special-files", f"It holds special files: {listed}.", list(found), Consequence.BLOCK)
    new = [c.path for c in subject.diff.files if c.new_mode == _EXECUTABLE and c.old_mode == _ABSENT]
    if not new:
        return None
    return _refusal("special-files", f"It adds executable files: {named(new)}.", new, Consequence.ASK)


def ci_config(subject: Subject) -> Refusal | None:
    """CI, review rules, hooks, agent instructions, dependencies and the gate's own files need a person."""
    run = pathclass.gate_files(subject.spec.gate or "")
    touched = _touched(subject, lambda path: pathclass.is_control_file(path) or pathclass.is_run_by(path, run))
    if not touched:
        return None
    detail = f"It changes files that steer CI, reviews, agents, dependencies or the gate: {named(touched)}."
    return _refusal("ci-config", detail, touched, Consequence.ASK)


def planning_state(subject: Subject) -> Refusal | None:
    """`.planning/STATE.md` and `ROADMAP.md` are what people steer by: no agent edits them."""
    touched = _touched(subject, pathclass.is_planning_state)
    if not touched:
        return None
    detail = f"It edits the planning files that belong to people: {named(touched)}."
    return _refusal("planning-state", detail, touched, Consequence.RETRY)


def size(subject: Subject) -> Refusal | None:
    """A change is small enough to be read. What could not be read whole passes nowhere, not even by approval."""
    files = [change.path for change in subject.diff.files]
    if subject.diff.truncated:
        return _refusal("size", "It is too large to be read whole.", files, Consequence.BLOCK)
    if len(files) <= MOST_FILES:
        return None
    return _refusal("size", f"It changes {len(files)} files, more than {MOST_FILES}.", files, Consequence.ASK)


def sensitive_paths(subject: Subject) -> Refusal | None:
    """What touches authentication, payments, personal data or secrets is reviewed by somebody else than its maker."""
    globs = subject.sensitive
    touched = _touched(subject, lambda path: sensitive_reason((path,), extra_globs=globs) is not None)
    if not touched and not subject.spec.sensitive:
        return None
    why = f"it touches {named(touched)}" if touched else f"the task says so: {named([subject.spec.sensitive or ''])}"
    return _refusal("sensitive-paths", f"It needs a review: {why}.", touched, Consequence.ASK)


def _refusal(rule: str, detail: str, files: list[str], consequence: Consequence) -> Refusal:
    return Refusal(rule=rule, detail=detail, files=tuple(dict.fromkeys(files)), consequence=consequence)


def _touched(subject: Subject, matches: Callable[[str], bool]) -> list[str]:
    return [path for change in subject.diff.files for path in _names(change) if matches(path)]


def _names(change: FileChange) -> tuple[str, ...]:
    # A copy leaves its source as it was.
    if change.old_path is None or change.old_path == change.path or change.status.startswith("C"):
        return (change.path,)
    return (change.path, change.old_path)


def _specials(change: FileChange) -> list[tuple[str, str]]:
    found = [(path, why) for path in _names(change) if (why := _odd_name(path))]
    modes = {change.old_mode, change.new_mode}
    if _LINK in modes:
        found.append((change.path, "symbolic link"))
    if _GITLINK in modes:
        found.append((change.path, "submodule"))
    if change.new_mode == _EXECUTABLE and change.old_mode not in {_EXECUTABLE, _ABSENT}:
        found.append((change.path, "made executable"))
    return found


def _odd_name(path: str) -> str:
    """Why this is no name for an ordinary file; empty if it is one."""
    if any(unicodedata.category(char).startswith(("C", "Zl", "Zp")) for char in path):
        return "control or invisible characters in its name"
    if path.startswith(("/", "\\", "~")) or re.match(r"[A-Za-z]:", path):
        return "an absolute path"
    parts = re.split(r"[/\\]", pathclass.folded(path))
    if any(part in {"", ".", ".."} for part in parts):
        return "not a plain path"
    # Windows drops trailing dots and spaces, and knows `.git` as `git~1` too.
    stems = {part.split(":")[0].rstrip(". ") for part in parts}
    if stems & {".git", "git~1"}:
        return "inside a .git folder"
    return "a git control file" if parts[-1] in {".gitmodules", ".gitattributes"} else ""

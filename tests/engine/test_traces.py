"""What an audit says about branches of ours that nobody remembers."""

from __future__ import annotations

import pytest

from ops_orchestrate.engine.audit import audit_part
from tests.engine.rig import Rig, requested
from tests.repos import git, push

pytestmark = pytest.mark.real


def test_a_branch_with_a_name_like_ours_is_named_and_nothing_more(rig: Rig) -> None:
    checkout = rig.upstream.checkout
    git("commit", "--quiet", "--allow-empty", "-m", "somebody's work", cwd=checkout)
    push(checkout, "ops/note-foreign/a1-f1")
    run = rig.submit([requested("one")])
    for part in rig.ledger.runs.missing_parts(run):
        audit_part(run, part, "test", rig.tools)
    found = [finding.title for part in rig.ledger.runs.parts(run).values() for finding in part.findings]
    text = "unmerged work of note-foreign from a run that it does not name: refs/remotes/origin/ops/note-foreign/a1-f1"
    assert text in found

"""What an agent that asks may do."""

from __future__ import annotations

import pytest

from ops_orchestrate.core.permission import ToolAsk, commands_in, refuse_tool

TREE = "/srv/tree"
PUSH, GH = "git push is not for agents", "gh is not for agents"
OUTSIDE, BESIDE = (
    "without a sandbox it runs git's local commands alone",
    "without a sandbox it writes in its tree alone",
)

ROWS: list[tuple[ToolAsk, str, str]] = [
    # what it asks, why not in the sandbox, why not without one
    (ToolAsk(kind="execute", command="git status"), "", ""),
    (ToolAsk(kind="execute", command="git add -A && git commit -qm 'push it; gh rules'"), "", ""),
    (ToolAsk(kind="execute", command="pytest -q"), "", OUTSIDE),
    (ToolAsk(kind="execute", command="git status; rm -rf x"), "", OUTSIDE),
    (ToolAsk(kind="execute", command=""), "", OUTSIDE),
    (ToolAsk(kind="execute", command="git push"), PUSH, PUSH),
    (ToolAsk(kind="execute", command="make test && git push origin HEAD"), PUSH, PUSH),
    (ToolAsk(kind="execute", command="A=1 env B=2 git -C . -c x=y --no-pager push"), PUSH, PUSH),
    (ToolAsk(kind="execute", command="echo $(git push)"), PUSH, PUSH),
    (ToolAsk(kind="execute", command="/usr/bin/git push"), PUSH, PUSH),
    (ToolAsk(kind="execute", command="if true; then gh pr merge 1; fi"), GH, GH),
    (ToolAsk(kind="execute", command="ls | sudo tee /etc/x"), "sudo is not for agents", "sudo is not for agents"),
    (ToolAsk(kind="execute", command="git remote -v"), "git remote is not for agents", "git remote is not for agents"),
    (ToolAsk(kind="execute", command="git pushed; ghost"), "", OUTSIDE),
    (ToolAsk(kind="execute", command="echo 'open quote; git push"), PUSH, PUSH),
    (ToolAsk(kind="fetch", paths=("https://example.org",)), "it reaches the web", "it reaches the web"),
    (ToolAsk(kind="read", paths=(f"{TREE}/.env",)), ".env holds secrets", ".env holds secrets"),
    (ToolAsk(kind="edit", paths=(f"{TREE}/a.py", f"{TREE}/.ssh/x")), "x holds secrets", "x holds secrets"),
    (ToolAsk(kind="edit", paths=(f"{TREE}/src/a.py",)), "", ""),
    (ToolAsk(kind="edit", paths=("/etc/passwd",)), "", BESIDE),
    (ToolAsk(kind="edit", paths=(f"{TREE}/../x",)), "", BESIDE),
    (ToolAsk(kind="edit", paths=("/srv/treeless/x",)), "", BESIDE),
    (ToolAsk(kind="edit"), "", BESIDE),
    (ToolAsk(kind="delete", paths=(f"{TREE}/a.py",)), "", ""),
    (ToolAsk(kind="read", paths=("/etc/hosts",)), "", ""),
    (ToolAsk(kind="think"), "", ""),
]


@pytest.mark.parametrize(("ask", "inside", "outside"), ROWS)
def test_what_it_may_do(ask: ToolAsk, inside: str, outside: str) -> None:
    assert refuse_tool(ask, sandboxed=True, tree=TREE) == inside
    assert refuse_tool(ask, sandboxed=False, tree=TREE) == outside


def test_the_commands_of_a_line() -> None:
    line = "X=1 git -C a --no-pager log -1 | head && (cd b; `whoami`)"
    assert list(commands_in(line)) == [("git", "log", "-1"), ("head",), ("cd", "b"), ("whoami",)]


def test_a_line_that_no_shell_could_read_costs_no_more_than_another() -> None:
    """Every word may begin a command there, and who asks may write twenty thousand characters, as often as it likes."""
    line = "a " * 5_000 + "git -c x=y push it's" + " a" * 5_000
    found = list(commands_in(line))
    assert ("git", "push", "it's", *["a"] * 11) in found
    assert sum(map(len, found)) < 20 * len(line)
    assert refuse_tool(ToolAsk(kind="execute", command=line), sandboxed=True, tree=TREE) == PUSH

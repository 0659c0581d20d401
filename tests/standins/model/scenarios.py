"""What the model says, request by request. The last turn of a scenario repeats."""

from __future__ import annotations

from typing import Any, NamedTuple


class Say(NamedTuple):
    """Ends its turn with a text."""

    text: str
    wait: str = ""
    """It begins to speak only when a test has set this flag."""


class Use(NamedTuple):
    """Asks for a tool."""

    tool: str
    input: dict[str, Any]
    text: str = ""


class Refuse(NamedTuple):
    """An HTTP error instead of an answer."""

    status: int
    kind: str
    message: str
    headers: tuple[tuple[str, str], ...] = ()


Turn = Say | Use | Refuse

_BUSY = Refuse(429, "rate_limit_error", "This request would exceed your rate limit.")
_WORK = Use(
    "Bash", {"command": "echo two > src/two.txt && git add src && git commit -qm 'Say two'", "description": "Work"}
)
_DENIED = Use("Bash", {"command": "git push origin HEAD", "description": "Push"})


def _until_told(name: str) -> Use:
    """A tool call that says in the tree when it has begun, and ends when a file of this name is there."""
    command = f"touch ready; while [ ! -e {name} ]; do sleep 0.05; done"
    return Use("Bash", {"command": command, "description": "Wait for a file"}, f"I wait for {name}.")


_REPORT = '{"status": "blocked", "question": "Which one?", "cost_usd": 0, "tokens": 1}'

_ANSWER = {
    "mark": "{mark}",
    "verdict": "reject",
    "summary": "Open to all.",
    "findings": [{"path": "a.txt", "line": 1, "severity": "high", "reason": "no check"}],
}

_PARTS = [
    {"title": "One", "about": "", "covers": [1], "acceptance": [], "paths": ["a.txt"], "after": []},
    {"title": "Two", "about": "", "covers": [2], "acceptance": ["said"], "paths": ["b.txt"], "after": [1]},
]

#: Scenario to its turns. `{tree}` in a tool's input is the working directory that the request names.
SCENARIOS: dict[str, tuple[Turn, ...]] = {
    "works": (
        Use("Read", {"file_path": "{tree}/a.txt"}, "I look at the file first."),
        Use("Edit", {"file_path": "{tree}/a.txt", "old_string": "one", "new_string": "two"}),
        Use("Bash", {"command": "git commit -qam 'Say two'", "description": "Commit the change"}),
        Say("The file says two now."),
    ),
    "whole": (
        Use("Read", {"file_path": "{tree}/a.txt"}, "I look at the file first."),
        Use("Edit", {"file_path": "{tree}/a.txt", "old_string": "one", "new_string": "two"}),
        _until_told("go"),
        Use("Bash", {"command": "rm ready go; git commit -qam 'Say two'", "description": "Commit the change"}),
        _DENIED,
        Say("The file says two now."),
        Use("Bash", {"command": "echo three > b.txt; git add b.txt; git commit -qm 'Say three'", "description": "Add"}),
        Say("All of it is there now."),
    ),
    "reports": (
        Use("Bash", {"command": "git commit -q --allow-empty -m Empty", "description": "Commit"}),
        Use(
            "Bash",
            {"command": f"echo '{_REPORT}' > $OPS_REPORT", "description": "Report"},
        ),
        Say("I need an answer."),
    ),
    "says": (Say("Nothing to do."),),
    "reviews": (Use("Read", {"file_path": "{tree}/a.txt"}), Use("StructuredOutput", _ANSWER), Say("Reviewed.")),
    "splits": (
        Use("Read", {"file_path": "{tree}/a.txt"}),
        Use("StructuredOutput", {"mark": "{mark}", "why": "Two halves.", "parts": _PARTS}),
        Say("Split."),
    ),
    "approvesinwords": (Say('{"mark": "{mark}", "verdict": "approve", "summary": "fine", "findings": []}'),),
    "meddles": (
        Use("Bash", {"command": "touch meddled", "description": "Change it"}),
        Use("Write", {"file_path": "{tree}/meddled", "content": "x"}),
        Use("StructuredOutput", _ANSWER),
        Say("Reviewed."),
    ),
    "plans": (
        Use("TaskCreate", {"subject": "Read the file", "description": "Read a.txt", "activeForm": "Reading"}),
        Say("Planned."),
    ),
    "denied": (_DENIED, Say("Done, it is pushed.")),
    "credit": (Refuse(400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API."),),
    "key": (Refuse(401, "authentication_error", "invalid x-api-key"),),
    "rate": (_BUSY,),
    "overloaded": (Refuse(529, "overloaded_error", "Overloaded"),),
    "capped": (Refuse(402, "billing_error", "ops-orchestrate: This attempt may not use more tokens."),),
    "broken": (Refuse(500, "api_error", "Internal server error"),),
    "wrong": (Refuse(400, "invalid_request_error", "messages: at least one message is required"),),
    "hiccup": (Refuse(500, "api_error", "Internal server error"), Say("It worked the second time.")),
    "loops": (Use("Bash", {"command": "true", "description": "Again"}),),
    "sleeps": (
        Use(
            "Bash", {"command": "touch ready; while [ ! -e go ]; do sleep 0.1; done", "description": "Wait"}, "I wait."
        ),
        Say("Awake."),
    ),
    "steered": (_until_told("go"), Say("I was told.")),
    "dies": (Use("Bash", {"command": "kill -9 $PPID", "description": "End it"}), Say("Still here.")),
    "comesback": (
        _BUSY,
        _BUSY,
        _WORK,
        Say("Back again."),
    ),
    "comesbackonce": (
        _BUSY,
        _WORK,
        Say("Back again."),
    ),
    "team": (
        Use(
            "Bash",
            {
                "command": "case $(git branch --show-current) in *schema*) "
                "touch ready; while [ ! -e go ]; do sleep 0.05; done; rm ready go;; esac; "
                "echo one > src/one.txt && git add src && git commit -qm 'Say one'",
                "description": "Work",
            },
        ),
        Say("My first half is done."),
        _WORK,
        Say("My second half is done."),
    ),
    "fixes": (
        Use("Bash", {"command": "touch broken; git add broken; git commit -qm Break", "description": "Work"}),
        Say("I am done."),
        Use(
            "Bash",
            {
                "command": "git rm -q broken && echo two > src/two.txt && git add src && git commit -qm 'Fix it'",
                "description": "Fix",
            },
        ),
        Say("Fixed it."),
    ),
    "thinks": (Say("At last.", wait="go"),),
    "looks": (
        Use("Bash", {"command": "env; ls -a $CLAUDE_CONFIG_DIR; ls -a $HOME; pwd", "description": "Look around"}),
        Say("Looked."),
    ),
    "env": (Use("Write", {"file_path": "{tree}/.env", "content": "KEY=1\n"}), Say("Written.")),
}

#: Of these every working tree plays its own, whoever else does at the same time.
BY_TREE = {"team"}

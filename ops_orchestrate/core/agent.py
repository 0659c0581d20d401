"""What passes between a step and an agent: the job, its events (shaped after ACP's), its result."""

from __future__ import annotations

from enum import StrEnum

from ops_orchestrate.core.attempt import StageKey
from ops_orchestrate.core.modelusage import ModelUsage
from ops_orchestrate.core.value import Value


class AgentJob(Value):
    """Everything an agent is started with."""

    key: StageKey
    brief: str
    tree: str
    """Its working directory: the private clone."""
    scratch: str
    """A folder of its own beside the tree: report, logs, temporary files."""
    branch: str
    reads: tuple[str, ...] = ()
    """Paths it may read beside the system's."""
    seconds: float
    """Time limit of the attempt."""
    beat_seconds: float
    """The supervisor kills the agent when nobody beats for this long."""
    grace_seconds: float
    """Between one rung of the stop ladder and the next."""
    max_usd: float | None = None
    """What it may cost, and `max_tokens` what it may use: what was reserved for it. None: what the settings say."""
    max_tokens: int | None = None
    waits: bool = False
    """Whether something that it needs is still to be told to it: its session stays open until it is released."""
    kept: bool = False
    """Whether its session is kept when it ends, for another attempt of the task on this host."""
    resumes: bool = False
    """Whether it goes on with the session that was kept last, where there is one."""
    renewed_at: float = 0.0
    """When the attempt's lease was last renewed, in seconds since this host's boot; 0: now."""
    purpose: str = ""
    """Empty: it works on its task. Else it is asked something (core/consult.py): it may read its tree and change
    nothing, and what is wanted of it is an answer of the shape `schema_text`."""
    schema_text: str = ""
    model: str = ""
    """Another model than the settings'."""


class AgentEventKind(StrEnum):
    """Signs of life and of meaning."""

    MESSAGE = "message"
    TOOL_CALL = "tool-call"  #: it asked for a tool, or the tool has answered: see `state`
    PLAN = "plan"
    USAGE = "usage"  #: what it has used since the last such event
    PERMISSION = "permission"  #: it waits for somebody's yes
    RETRY = "retry"  #: its model did not answer, and is asked again
    STOP = "stop"  #: a turn is over; `text` says why
    OUTPUT = "output"  #: the agent printed something; its log grew


class ToolState(StrEnum):
    """How far a tool call is."""

    BEGUN = "begun"
    DONE = "done"
    FAILED = "failed"
    DENIED = "denied"


class AgentEvent(Value):
    """One thing an agent did; `text` is cleaned of control characters and cut."""

    kind: AgentEventKind
    text: str = ""
    tool: str = ""
    """With TOOL_CALL: the tool's name; empty where only its call is known."""
    call: str = ""
    """With TOOL_CALL: which call, as the agent names it."""
    state: ToolState | None = None
    tokens: int = 0
    """With USAGE."""
    cost_usd: float | None = None
    """With USAGE; None where no price is known."""


class AgentEnd(StrEnum):
    """How the process ended, before anybody has judged its work."""

    DONE = "done"  #: exit 0 and a readable report (or none asked for)
    FAILED = "failed"  #: it reported failure, or another exit code
    CRASHED = "crashed"  #: killed by a signal, or an unreadable report
    STOPPED = "stopped"  #: stopped by us
    TIMED_OUT = "timed-out"
    UNSTARTED = "unstarted"
    QUOTA = "quota"  #: the model's provider gives no more for now


class AgentReport(Value):
    """The agent's own words about its work: claims, never evidence."""

    status: str = ""
    summary: str = ""
    hand_over: str = ""
    """What a dependant needs to know: goes into their briefs, cleaned, capped and marked."""
    question: str = ""
    """With status `blocked`: what only a person can answer."""
    cost_usd: float | None = None
    """Where the adapter can count itself, its own number in place of the agent's word; the same for `tokens`."""
    tokens: int | None = None


class AgentResult(Value):
    """How one session ended."""

    end: AgentEnd
    exit_code: int | None = None
    detail: str = ""
    report: AgentReport | None = None
    answer: str = ""
    """With a job that asks: what it answered, as it came; empty where it did not."""
    log_tail: str = ""
    unsandboxed: bool = False
    usage: ModelUsage | None = None
    """What our own proxy has counted, where the agent's model was reached through it: not the agent's word."""
    unlisted: tuple[str, ...] = ()
    """Hosts that it asked our proxy for and that OPS_AGENT_HOSTS does not name."""
    version: str = ""
    """The program's, as it said itself while it ran."""
    resets_at: float = 0.0
    """With QUOTA: when there is more, in seconds since 1970; 0 where nobody said."""


class AgentVitals(Value):
    """What an agent's processes and files look like from outside."""

    cpu_seconds: float = 0.0
    """Of all its processes together, since it started."""
    processes: int = 0
    files: str = ""
    """Digest of the contents of what it changed; a file that is only touched leaves it as it was."""


class AgentProbe(Value):
    """What a look at the agent on this host found."""

    name: str
    ok: bool
    detail: str
    version: str = ""

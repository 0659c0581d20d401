"""What a red check looked like from inside, and what kind of failure it is."""

from __future__ import annotations

from enum import StrEnum

from ops_orchestrate.core.merge.pull import Conclusion
from ops_orchestrate.core.value import Value


class FailureClass(StrEnum):
    """Why a check is red. Only CODE is work for an agent."""

    NEVER_STARTED = "never-started"  #: no job of it ever ran
    BILLING = "billing"  #: the account may not run anything: only its owner can mend that
    INFRASTRUCTURE = "infrastructure"  #: the runner or the network broke, not the change
    FLAKY = "flaky"  #: the same commit has passed the same job before
    CODE = "code"


class JobStep(Value):
    """One step of a job."""

    name: str
    conclusion: Conclusion


class FailedJob(Value):
    """One red job of a workflow run, as far as the forge tells. All text is from outside and cleaned."""

    id: int
    run: int
    attempt: int
    name: str
    conclusion: Conclusion
    steps: tuple[JobStep, ...] = ()
    annotations: tuple[str, ...] = ()
    log: str = ""
    """The end of its log."""
    log_missing: bool = False
    """The forge has no log of it (404): it never wrote one."""
    passed_before: bool = False
    """The same job of the same commit has passed in another attempt."""
    url: str = ""

"""The names of everything the ledger keeps. One hash tag in the prefix: all keys live in one slot of a server.

The scripts build the same names with `key(...)` of lua/prelude.lua; this file is the list for a reader.

| key | type | what |
|---|---|---|
| board | hash | version, fence, quiet_until, epoch, born, server |
| slots | hash | index: slot |
| owners | hash | fence: who may write where |
| candidate_heads | sorted set | repositories with candidates, by the score of the first |
| candidates:REPO | sorted set | RUN/TASK by priority, then longest remaining path |
| cards | hash | RUN/TASK: when it was offered, and the candidate |
| unmerged | hash | RUN/TASK: a change that is made and not on the base |
| repo_work | hash | repository: seconds of work left, over the open runs |
| watch | sorted set | RUN/TASK in flight by the end of its lease, or by the time it was published |
| seats | sorted set | RUN/TASK whose reviewer waits for a slot, by since when |
| snoozes | sorted set | RUN/TASK by wake_at |
| edges | set | RUN/TASK completed, edges not published yet |
| claims | hash | project and fingerprint: who has the finding, and whom it was taken over from |
| money:PURSE | hash | what was spent and is reserved: of `task:RUN/TASK`, `run:RUN`, `day:DAY`, `project:DAY:ALIAS` |
| parked | hash | account: until when it has no quota |
| hosts | hash | HOST/PROCESS: what it announced |
| hosts_until | sorted set | HOST/PROCESS by the end of its announcement |
| drained | set | hosts that take no new jobs |
| lengths | hash | repository: learned seconds of one attempt |
| runs | sorted set | runs by begin |
| run_wakes | sorted set | runs by when they are to be looked at |
| run:RUN | hash | request, state, stop, seq of events, planned, … |
| parts:RUN | hash | part of the audit: result |
| plan:RUN | hash | id: the task as it was planned, in a line; it counts when the run is `planned` |
| tasks:RUN | list | ids in plan order |
| announced:RUN | list | events of the plan, by id of their task: they stand in the log behind `plan_seq` |
| counts:RUN | hash | state: number of tasks |
| work:RUN | hash | repository: seconds of work left of this run |
| offered:RUN | set | its candidates |
| promotions:RUN | hash | repository, or `back:` or `revert:` and it: JSON |
| gates:RUN | hash | repository: the gate that it has been given since the run began, JSON |
| events:RUN | stream | ids `SEQ-0`; without those of the plan |
| task:RUN:TASK | hash | the task, once it was touched |
| attempt:RUN:TASK:N | hash | the attempt |
| digests:RUN:TASK | hash | digest of a brief: attempt |
| notes:RUN:TASK | list | what people said |
| mail:RUN:TASK | list | messages to its agent, JSON, oldest first |
| mail_ids:RUN:TASK | hash | id of a message: its number |
| intent:RUN:TASK | string | the merge that was announced |
| pursuit:RUN:TASK | string | what is remembered of its change on a forge |
| lock:NAME | string | since when, for how many milliseconds, holder |
| gate:REPO:TREE:DIGEST | string | result of a gate |
| green:REPO:BRANCH | list | checks of each head merged lately, JSON |
| ci:REPO:BRANCH | list | seconds that CI took on each of those heads |
| frozen:REPO:BRANCH | string | RUN/TASK or RUN/OWN:REPO (`promote:` …) whose merge did not hold what was verified |
| parcel:REPO:OBJECT | string | a git bundle with the object, in base64; or `->` and the object whose parcel has it |
| parcels:SENDER | hash | REPO:OBJECT: how long the parcel is that the machine has sent |
| reply:TOKEN | string | answer of a script, for a repeated call |
"""

from __future__ import annotations


class Keys:
    """Makes key names; refuses nothing, since names were checked where they entered."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix

    def __call__(self, *parts: str | int) -> str:
        """The key of these parts."""
        return self.prefix + ":".join(str(part) for part in parts)


def member(run: str, task: str) -> str:
    """A task as a member of a set: neither name can hold a slash."""
    return f"{run}/{task}"


def split_member(text: str) -> tuple[str, str]:
    """The run and the task of a member."""
    run, _, task = text.partition("/")
    return run, task

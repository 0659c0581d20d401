"""What is learned and may be forgotten: results of gates per tree, lengths of attempts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Any

from ops_orchestrate.core.change import GateResult
from ops_orchestrate.ledger.keys import Keys, member, split_member
from ops_orchestrate.ledger.server import Server

#: A gate's result for a tree stays true, but trees are forgotten: a month covers every run that asks again.
GATE_SECONDS = 30 * 86400
#: Checks that are usual: green on so many of the last heads that were merged (docs/pull-requests.md).
USUAL, HEADS_KEPT = 3, 5


#: A repository, a tree, and the digest of a gate.
GateKey = tuple[str, str, str]


def gate_result(text: str | None) -> GateResult | None:
    """What is stored of a gate on a tree; None where it was not run yet."""
    return GateResult.model_validate_json(text) if text else None


class Facts:
    """Shared knowledge that no transition depends on."""

    def __init__(self, server: Server, keys: Keys) -> None:
        self._server = server
        self._keys = keys

    def gate(self, repo: str, tree: str, gate_digest: str) -> GateResult | None:
        """What this gate said about this tree."""
        name = self._keys("gate", repo, tree, gate_digest)
        text = self._server.ask(lambda: self._server.client.get(name))
        return gate_result(text)

    def put_gate(self, repo: str, tree: str, gate_digest: str, result: GateResult) -> None:
        """Keep what this gate said about this tree."""
        name = self._keys("gate", repo, tree, gate_digest)
        text = result.model_dump_json()
        self._server.ask(lambda: self._server.client.set(name, text, ex=GATE_SECONDS))

    def freeze(self, repo: str, branch: str, *, run: str, task: str) -> None:
        """Nothing more goes onto this branch while that task waits for a person."""
        name = self._keys("frozen", repo, branch)
        self._server.ask(lambda: self._server.client.set(name, member(run, task)))

    def frozen(self, repo: str, branch: str) -> tuple[str, str] | None:
        """The run and the task that the branch was frozen for; whether it still holds is for its task to say."""
        text = self._server.ask(lambda: self._server.client.get(self._keys("frozen", repo, branch)))
        return split_member(text) if text else None

    def merged_with(self, repo: str, branch: str, checks: Sequence[str], *, seconds: float = 0.0) -> None:
        """These checks were green, after so many seconds, on a head that was just merged into the branch."""
        kept = {
            self._keys("green", repo, branch): json.dumps(sorted(set(checks))),
            self._keys("ci", repo, branch): f"{seconds:.1f}",
        }

        def keep(pipe: Any) -> None:
            for name, text in kept.items():
                pipe.lpush(name, text)
                pipe.ltrim(name, 0, HEADS_KEPT - 1)
                pipe.expire(name, GATE_SECONDS)

        self._server.pipe(keep)

    def usual_ci(self, repo: str, branch: str) -> float:
        """Seconds that CI took on the last five heads merged into the branch, in the median; 0: nobody knows."""
        stored = self._server.ask(lambda: self._server.client.lrange(self._keys("ci", repo, branch), 0, -1))
        return median(map(float, stored)) if stored else 0.0

    def usual_checks(self, repo: str, branch: str) -> tuple[str, ...]:
        """Checks that were green on at least three of the last five heads merged into the branch."""
        stored = self._server.ask(lambda: self._server.client.lrange(self._keys("green", repo, branch), 0, -1))
        seen = Counter(name for text in stored for name in json.loads(text))
        return tuple(sorted(name for name, times in seen.items() if times >= USUAL))

    def lengths(self) -> dict[str, float]:
        """Learned seconds of one attempt per repository; over all of them under the empty key."""
        stored = self._server.ask(lambda: self._server.client.hgetall(self._keys("lengths")))
        return {repo: float(seconds) for repo, seconds in stored.items()}

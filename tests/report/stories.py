"""The runs that the screens are shown for."""

from __future__ import annotations

from tests.report.story import Story

SILENT = {"name": "sentry", "reason": "it did not answer"}
HOSTILE = [
    "\x1b[31mred\x1b[0m \x1b]0;owned\x07 title",
    "\u202egnp.exe\u202c reversed",
    "two\nlines\r\nand a fake ✓ done   #1   ✓   main",
    "修复认证中间件的竞争条件并且更新所有的类型定义和测试",
    "z" + "\u0301\u0302\u0303\u0304\u0305" * 8 + "algo",
    "x" * 400,
    "$(rm -rf ~) `id` ; --force",
    "👩\u200d👩\u200d👧\u200d👦 family",
]


def ordinary() -> Story:
    """Two repositories, a hand-over, one retry; everything merged, one repository promoted."""
    story = (
        Story()
        .begin()
        .plan(
            {"id": "api-fix-auth", "title": "Fix the auth race", "priority": "P0", "label": "P0-fire"},
            {"id": "api-tests", "title": "Add tests", "wave": 1, "blocked_by": ["api-fix-auth"]},
            {
                "id": "web-types",
                "title": "Update types",
                "project": "web",
                "repo": "web",
                "wave": 1,
                "mode": "team",
                "mode_reason": "consumes api",
                "blocked_by": ["api-fix-auth"],
                "base": "main",
            },
            notes=[{"kind": "uncommitted", "project": "web", "title": "3 uncommitted files in ~/web"}],
        )
    )
    story.start("api-fix-auth", 0).wait(90).end("api-fix-auth", cost_usd=0.42, tokens=12000, seconds=91.0)
    story.judge("api-fix-auth", "rejected", summary="the gate failed: 1 test").settle(
        "api-fix-auth", "retryable", "the gate failed: 1 test"
    )
    story.start("api-fix-auth", 0).wait(120).end("api-fix-auth", cost_usd=0.5, tokens=9000, seconds=121.0)
    story.judge("api-fix-auth").merge("api-fix-auth")
    story.start("web-types", 0).start("api-tests", 1, host="host-2")
    story.wait(30).end("web-types", cost_usd=0.1, tokens=500).judge("web-types").merge("web-types", "main")
    story.end("api-tests").judge("api-tests").merge("api-tests", commit="34" * 20)
    story.add("promoted", data={"repo": "api", "from": "dev", "to": "main", "commit": "56" * 20})
    return story.finish()


def busy() -> Story:
    """Five slots taken, the rest queued."""
    names = [f"task-{index}" for index in range(8)]
    tasks = [{"id": name, "title": f"Job number {index}", "repo": f"repo-{index}"} for index, name in enumerate(names)]
    story = Story().begin().plan(*tasks, {"id": "later", "wave": 1, "blocked_by": ["task-0"], "repo": "repo-0"})
    for slot in range(5):
        story.start(names[slot], slot, host=f"host-{slot % 3 + 1}")
    story.add("agent.note", "task-1", {"text": "reading the code"}, **story.where("task-1"))
    story.end("task-4").add("stage.claimed", "task-4", {"stage": "verify"}, **story.where("task-4"))
    return story.start("task-5", 4)


def troubled() -> Story:
    """Blocked, discarded and cancelled tasks, what waits for them, a refusal, a source that is silent."""
    story = Story("night-1").begin(
        skipped=[{"name": "old-site", "reason": "its path does not exist"}],
        warnings=["teams are not available: falling back to subagents"],
        max_waves=2,
        mode="subagents",
        mode_note="no terminal to ask at",
    )
    story.add(
        "audit.part",
        data={
            "part": "source:sentry",
            "findings": 0,
            "unknown": [{"name": "sentry", "reason": "it did not answer"}],
        },
    )
    story.plan(
        {"id": "good", "title": "An easy one"},
        {"id": "login", "title": "Change the login", "repo": "web", "sensitive": "src/auth/** is about auth"},
        {"id": "key", "title": "Rotate the production key", "human": "only the owner has the key"},
        {"id": "hopeless", "title": "Make it never fail", "repo": "lib"},
        {"id": "unwanted", "title": "Rewrite it in another language", "repo": "lib"},
        {"id": "after-login", "wave": 1, "blocked_by": ["login"], "repo": "web"},
        {"id": "after-all", "wave": 1, "blocked_by": ["after-login", "hopeless", "good"], "repo": "lib"},
        {"id": "too-late", "wave": 2, "blocked_by": ["good"]},
        unknown=[SILENT],
    )
    story.settle("key", "blocked", "only the owner has the key", "done").ship("good")
    story.start("login", 1).end("login", unsandboxed=True).judge("login")
    story.add("merge.refused", "login", {"reason": "web is checked out at dev", "command": "git -C ~/web switch -"})
    story.settle("login", "blocked", "src/auth/** is about auth: a person has to review it", "approve")
    for _ in range(2):
        story.start("hopeless", 2).wait(900).end("hopeless", "stalled", summary="no sign of life for 15 min")
        story.add("salvaged", "hopeless", {"ref": "refs/ops/salvage/hopeless"}, **story.where("hopeless"))
        story.settle("hopeless", "discarded" if _ else "retryable", "no sign of life for 15 min")
    story.settle("unwanted", "cancelled", "cancelled by owner")
    return story.finish("halted", "2 tasks wait for you")


def nothing() -> Story:
    """An audit that found no work."""
    unknown = [{"name": "linear", "reason": "HTTP 503"}]
    return Story().begin(projects=["api", "web", "lib"]).plan(unknown=unknown).finish("done", "the audit found no work")


def hostile() -> Story:
    """Titles and words from outside that try to take the screen over."""
    tasks = [{"id": f"t{i}", "title": title, "repo": f"r{i}"} for i, title in enumerate(HOSTILE)]
    story = Story().begin(mode_note=HOSTILE[0]).plan(*tasks)
    story.start("t0", 0).end("t0", "failed", summary=HOSTILE[0]).settle("t0", "discarded", HOSTILE[2])
    story.settle("t1", "blocked", HOSTILE[1], "retry")
    story.start("t2", 1, host="host-\x1b[2J")
    story.add("agent.note", "t2", {"text": HOSTILE[0]}, **story.where("t2"))
    return story


STORIES = {"ordinary": ordinary, "busy": busy, "troubled": troubled, "nothing": nothing, "hostile": hostile}

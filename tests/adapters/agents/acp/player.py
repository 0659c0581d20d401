"""An agent of our own that speaks ACP, by the library's agent side: plays the scenario that its command names.

Started inside the sandbox as `python player.py SCENARIO`.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import acp
from acp import schema


class Player(acp.Agent):
    """One conversation."""

    def __init__(self, scenario: str) -> None:
        self.scenario = scenario
        self.told: list[str] = []
        self.cancelled = asyncio.Event()

    def on_connect(self, conn: acp.Client) -> None:
        self.client = conn

    async def initialize(self, protocol_version: int, **_: Any) -> acp.InitializeResponse:
        if self.scenario == "deaf":
            sys.exit(3)
        info = schema.Implementation(name="player", version="1.2.3")
        return acp.InitializeResponse(protocol_version=protocol_version, agent_info=info)

    async def new_session(self, cwd: str, **_: Any) -> acp.NewSessionResponse:
        self.cwd = cwd
        return acp.NewSessionResponse(session_id="s1")

    async def cancel(self, session_id: str, **_: Any) -> None:
        del session_id
        self.cancelled.set()

    async def prompt(self, prompt: list[Any], session_id: str, **_: Any) -> acp.PromptResponse:
        del session_id
        self.told.append(prompt[0].text)
        if len(self.told) > 1:
            await self.say(self.told[-1])
            return acp.PromptResponse(stop_reason="end_turn")
        stop = await getattr(self, f"play_{self.scenario}")()
        return acp.PromptResponse(stop_reason=stop or "end_turn")

    async def play_works(self) -> None:
        await self.say("I look ", "first.")
        await self.call("c1", "edit", "Write b.txt", raw_input={"file_path": f"{self.cwd}/b.txt"})
        (Path(self.cwd) / "b.txt").write_text("two\n")
        subprocess.run(["git", "add", "b.txt"], check=True, cwd=self.cwd)
        subprocess.run(["git", "commit", "-qm", "Add b"], check=True, cwd=self.cwd)
        await self.ended("c1", "completed")
        entries = [acp.plan_entry("Write b.txt", status="completed"), acp.plan_entry("Tell", status="in_progress")]
        await self.tell(acp.update_plan(entries))
        cost = schema.Cost(amount=0.25, currency="USD")
        await self.tell(schema.UsageUpdate(session_update="usage_update", used=10, size=100, cost=cost))
        await self.say(f"The brief has {len(self.told[0])} characters.")

    async def play_asks(self) -> None:
        answers = [
            await self.ask("execute", command="git -C . push origin HEAD"),
            await self.ask("execute", command="git commit -m x && gh pr merge 1"),
            await self.ask("edit", path=f"{self.cwd}/.env"),
            await self.ask("fetch", url="https://example.org"),
            await self.ask("execute", command="git status"),
            await self.ask("edit", path=f"{self.cwd}/src/a.py"),
        ]
        try:  # what a client need not offer
            await self.client.read_text_file(path="/etc/passwd", session_id="s1")
        except acp.RequestError as error:
            answers.append(str(error.code))
        await self.say(" ".join(answers))

    async def play_sleeps(self) -> str:
        child = await asyncio.create_subprocess_exec("sleep", "300")
        await self.call("c1", "execute", "sleep 300")
        await self.cancelled.wait()
        child.kill()
        return "cancelled"

    async def play_stubborn(self) -> None:
        subprocess.Popen(["sleep", "300"], start_new_session=True)
        await self.call("c1", "execute", "sleep 300")
        while True:
            await asyncio.sleep(60)

    async def play_dies(self) -> None:
        os.kill(os.getpid(), 9)

    async def play_leaves(self) -> None:
        os._exit(0)

    async def play_floods(self) -> None:
        for _ in range(400):
            await self.say("x" * 1_000)
        await self.cancelled.wait()

    async def play_lingers(self) -> None:
        await self.say("Done, and I stay.")
        self.stay = asyncio.get_running_loop().run_in_executor(None, __import__("time").sleep, 300)

    async def play_reports(self) -> None:
        question = f"Of {len(self.told[0])} characters, which one?"
        Path(os.environ["OPS_REPORT"]).write_text(json.dumps({"status": "blocked", "question": question}))

    async def play_models(self) -> None:
        """Asks its model until that answers, as agents do, and says what it said."""
        for _ in range(50):
            if self.cancelled.is_set():
                return
            status = await asyncio.to_thread(ask_model)
            if status == 200:
                await self.say("It answered.")
                return
            await asyncio.sleep(0.05)
        raise acp.RequestError(-32603, f"HTTP {status}")

    async def say(self, *pieces: str) -> None:
        for piece in pieces:
            await self.tell(acp.update_agent_message(acp.text_block(piece)))

    async def call(self, call: str, kind: Any, title: str, **more: Any) -> None:
        await self.tell(acp.start_tool_call(call, title, kind=kind, status="in_progress", **more))

    async def ended(self, call: str, status: Any) -> None:
        await self.tell(acp.update_tool_call(call, status=status))

    async def tell(self, update: Any) -> None:
        await self.client.session_update("s1", update)

    async def ask(self, kind: Any, **given: str) -> str:
        options = [
            schema.PermissionOption(option_id="yes", name="Yes", kind="allow_once"),
            schema.PermissionOption(option_id="no", name="No", kind="reject_once"),
        ]
        call = schema.ToolCallUpdate(tool_call_id=f"c-{kind}", kind=kind, title=str(given), raw_input=given)
        answer = await self.client.request_permission(session_id="s1", tool_call=call, options=options)
        return getattr(answer.outcome, "option_id", "cancelled")


def ask_model() -> int:
    """The status of one call of the model's API, as the environment names it."""
    import urllib.error
    import urllib.request

    body = {"model": "m1", "messages": [], "tools": [{"type": "function", "function": {"name": "x"}}], "stream": True}
    request = urllib.request.Request(
        os.environ["OPENAI_BASE_URL"] + "/chat/completions",
        json.dumps(body).encode(),
        {"content-type": "application/json", "authorization": "Bearer " + os.environ["OPENAI_API_KEY"]},
    )
    try:
        with urllib.request.urlopen(request) as answer:
            answer.read()
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return int(error.code)


if __name__ == "__main__":
    if sys.argv[1] == "mute":
        print("usage: player [--help]", flush=True)
        sys.exit(2)
    print("a line beside the protocol", flush=True)
    asyncio.run(acp.run_agent(Player(sys.argv[1])))

"""What foreign code can see, write and reach: the same canary, inside the sandbox and without it."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from ops_orchestrate.adapters import canary
from ops_orchestrate.adapters.process import Finished, run
from ops_orchestrate.adapters.sandbox import SandboxSpec, _own_sockets, confine, environment, interpreter, probe, wrap
from ops_orchestrate.adapters.trap import Trap, service_sockets
from ops_orchestrate.errors import SandboxUnavailable
from tests.adapters.foreign import needs_sandbox, settings, without_sandbox


def inside(folder: Path, *argv: str, **more: object) -> Finished:
    """Run in the sandbox, with `folder` to write in."""
    spec = SandboxSpec(**({"cwd": folder, "write": (folder,)} | more))  # type: ignore[arg-type] # a table's row
    return run(wrap(argv, spec), cwd="/", env=environment(spec), timeout=30, keep=100_000)


@needs_sandbox
def test_the_canary_gets_nothing_inside_and_everything_outside(tmp_path: Path) -> None:
    """The second half shows that the first one could fail."""
    with Trap() as trap:
        argv = [*interpreter(), canary.__file__, *trap.arguments]
        ended = inside(trap.inside, *argv, read=(Path(canary.__file__), trap.borrowed))
        assert trap.leaks(ended.output.decode()) == []
        ended = run(argv, cwd="/", env={}, timeout=30)
        assert [leak for leak in trap.leaks(ended.output_tail) or () if leak != "opens-vsock"] == [
            "reads-file",
            "writes-file",
            "sees-variable",
            "sees-process",
            "connects",
            "reads-home",
            "writes-borrowed",
            "connects-abstract",
            "connects-socket",
        ]


@needs_sandbox
def test_sockets_of_services_that_are_here_are_tried_too(tmp_path: Path, server_url: str) -> None:
    """The very server of the queue and the ledger among them."""
    used = settings(tmp_path, redis_url=server_url)
    server = Path(server_url.removeprefix("unix://"))
    assert server in service_sockets(_own_sockets(used))
    with Trap([server]) as trap:
        argv = [*interpreter(), canary.__file__, *trap.arguments]
        ended = inside(trap.inside, *argv, read=(Path(canary.__file__), trap.borrowed))
        assert trap.leaks(ended.output.decode()) == []
        ended = inside(trap.inside, *argv, read=(Path(canary.__file__), trap.borrowed, server))
        assert trap.leaks(ended.output.decode()) == [f"connects-{server}"]


@needs_sandbox
def test_the_probe_says_what_it_found(tmp_path: Path) -> None:
    found = probe(settings(tmp_path))
    assert (found.ok, found.detail) == (True, "the canary found no way out")
    assert found.version.startswith("bubblewrap ")


def test_a_canary_that_did_nothing_is_no_proof() -> None:
    with Trap() as trap:
        assert trap.leaks("") is None
        assert trap.leaks('["writes-inside"]') is None, "it says so, but the file is not there"


@needs_sandbox
def test_a_hole_in_the_sandbox_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bwrap that does not confine: it drops its own options and runs the command."""
    fake = tmp_path / "bin" / "bwrap"
    fake.parent.mkdir()
    fake.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && exec echo fake\nwhile [ "$1" != -- ]; do shift; done\nshift\nexec "$@"\n'
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(fake.parent))
    found = probe(settings(tmp_path))
    assert not found.ok
    assert found.detail.startswith("the canary got out: reads-file, writes-file, sees-variable")


@needs_sandbox
def test_a_secret_of_the_caller_is_nowhere_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPS_SECRET_CANARY", "s3cret-value")
    script = "cat /proc/*/environ /proc/*/cmdline; env; ls -la / /home /root /run /etc"
    ended = inside(tmp_path, "/bin/sh", "-c", script, env={"ALLOWED": "yes"})
    assert b"ALLOWED=yes" in ended.output
    assert b"s3cret-value" not in ended.output
    assert b"OPS_SECRET_CANARY" not in ended.output


def test_values_of_variables_are_not_in_the_command_line(tmp_path: Path) -> None:
    if probe(settings(tmp_path)).ok:
        spec = SandboxSpec(cwd=tmp_path, env={"API_KEY": "s3cret-value"})
        confined = confine(["/bin/true"], spec, settings(tmp_path))
        assert confined.env["API_KEY"] == "s3cret-value"
        assert not [word for word in confined.argv if "s3cret" in word]


@needs_sandbox
@pytest.mark.parametrize(
    "target",
    ["/x", "/usr/x", "/etc/x", "/home/x", "/root/x", "/run/x", "/dev/x", "{prefix}/x", "{outside}/x"],
)
def test_nothing_else_can_be_written(tmp_path: Path, target: str) -> None:
    mine, outside = tmp_path / "mine", tmp_path / "outside"
    mine.mkdir()
    outside.mkdir()
    path = target.format(prefix=sys.prefix, outside=outside)
    ended = inside(mine, "/bin/sh", "-c", f"touch '{path}'", read=(outside,))
    assert ended.exit_code != 0
    assert "Read-only file system" in ended.output_tail
    with suppress(PermissionError):  # where we may not even look, we have not written
        assert not Path(path).exists()


@needs_sandbox
def test_what_may_be_written_is_really_there(tmp_path: Path) -> None:
    assert inside(tmp_path, "/bin/sh", "-c", "echo x > made; echo y > /tmp/t; echo z > /dev/shm/s").exit_code == 0
    assert (tmp_path / "made").read_text() == "x\n"


@needs_sandbox
def test_a_link_out_of_the_folder_leads_nowhere(tmp_path: Path) -> None:
    mine, secret = tmp_path / "mine", tmp_path / "secret"
    mine.mkdir()
    secret.write_text("secret")
    (mine / "link").symlink_to(secret)
    ended = inside(mine, "/bin/cat", "link")
    assert ended.exit_code == 1
    assert b"secret" not in ended.output


@needs_sandbox
def test_readable_below_writable_stays_read_only(tmp_path: Path) -> None:
    (tmp_path / "objects").mkdir()
    ended = inside(tmp_path, "/bin/sh", "-c", "touch a && touch objects/b", read=(tmp_path / "objects",))
    assert ended.exit_code != 0
    assert (tmp_path / "a").exists()
    assert not (tmp_path / "objects" / "b").exists()


@needs_sandbox
def test_python3_inside_is_the_interpreter_that_runs_us(tmp_path: Path) -> None:
    code = "import sys, ssl, ctypes; print(sys.prefix, sys.version_info[:3])"
    ended = inside(tmp_path, "python3", "-c", code)
    assert ended.output.decode().strip() == f"{sys.prefix} {tuple(sys.version_info[:3])}"


@needs_sandbox
def test_git_works_inside(tmp_path: Path) -> None:
    words = "git init -q . && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x && git log"
    assert inside(tmp_path, "/bin/sh", "-c", words).exit_code == 0


@needs_sandbox
@pytest.mark.parametrize("network", [False, True])
def test_network_only_where_it_is_given(tmp_path: Path, network: bool) -> None:
    with Trap() as trap:
        code = f"import socket; socket.create_connection(('127.0.0.1', {trap.arguments[4]}), 2)"
        ended = inside(tmp_path, *interpreter(), "-c", code, network=network)
    assert (ended.exit_code == 0) is network


@needs_sandbox
def test_no_capabilities_inside(tmp_path: Path) -> None:
    ended = inside(tmp_path, "/bin/cat", "/proc/self/status")
    fields = dict(line.split(":", 1) for line in ended.output.decode().splitlines())
    assert {int(fields[name], 16) for name in ("CapPrm", "CapEff", "CapBnd")} == {0}
    assert fields["NoNewPrivs"].strip() == "1"


@needs_sandbox
def test_temporary_files_in_memory_are_bounded(tmp_path: Path) -> None:
    ended = inside(tmp_path, "/bin/df", "--output=size", "--block-size=1M", "/tmp", "/dev/shm")
    assert [int(word) for word in ended.output.split()[1:]] == [1024, 1024]


def test_no_sandbox_is_an_error_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_sandbox(monkeypatch, tmp_path)
    with pytest.raises(SandboxUnavailable) as error:
        confine(["/bin/true"], SandboxSpec(cwd=tmp_path), settings(tmp_path))
    for part in (
        "bwrap",
        "apt install bubblewrap",
        "apparmor_restrict_unprivileged_userns",
        "OPS_UNSANDBOXED_OK",
    ):
        assert part in str(error.value)


def test_without_a_sandbox_the_environment_is_the_same_and_the_result_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_sandbox(monkeypatch, tmp_path)
    monkeypatch.setenv("OPS_SECRET_CANARY", "leak")
    spec = SandboxSpec(cwd=tmp_path, env={"A": "1"})
    confined = confine(["/usr/bin/env"], spec, settings(tmp_path, unsandboxed_ok=True))
    assert (confined.argv, confined.unsandboxed, confined.wrappers) == (("/usr/bin/env",), True, 0)
    assert confined.env == environment(spec)
    assert "OPS_SECRET_CANARY" not in confined.env


def test_the_canary_speaks_json(tmp_path: Path) -> None:
    with Trap() as trap:
        ended = run([*interpreter(), canary.__file__, *trap.arguments], cwd="/", env={}, timeout=30)
    assert "connects" in json.loads(ended.output_tail)
    assert not trap.inside.exists(), "the trap removes what it planted"

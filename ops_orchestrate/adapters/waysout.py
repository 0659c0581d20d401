"""What a program without a network reaches all the same: its model, and the hosts that the owner names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ops_orchestrate.adapters.door import Door
from ops_orchestrate.adapters.hostproxy import HostProxy
from ops_orchestrate.adapters.modelproxy import Limits, Upstream
from ops_orchestrate.adapters.outward import Outward
from ops_orchestrate.adapters.sandbox import isolated
from ops_orchestrate.config import Settings
from ops_orchestrate.core.hosts import read_host
from ops_orchestrate.core.modelusage import ModelTrouble, ModelUsage
from ops_orchestrate.core.price import Price

if TYPE_CHECKING:
    from ops_orchestrate.adapters.modelproxy.proxy import ModelProxy


@dataclass(frozen=True, slots=True)
class ModelAccess:
    """A model's API that a program may use, without its key."""

    upstream: Upstream
    key: Callable[[], str | None]
    """Asked with each call, in a thread of the proxy."""
    url_names: tuple[str, ...]
    """Variables that the program finds the base URL in."""
    key_names: tuple[str, ...]
    """Variables that it finds the placeholder in."""
    limits: Limits = field(default_factory=Limits)
    price: Price | None = None


class WaysOut:
    """The doors of one attempt or gate, open until `close`."""

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        *,
        network: bool = False,
        hosts: Sequence[str] = (),
        model: ModelAccess | None = None,
    ) -> None:
        """Open what is asked for. `folder`: ours, for their sockets. Raises OSError."""
        self._open = ExitStack()
        self.env: dict[str, str] = {}
        """The variables by which the program finds them."""
        self.reads: tuple[Path, ...] = ()
        """For `SandboxSpec.read`."""
        self.doors: tuple[Door, ...] = ()
        """For `SandboxSpec.doors`; nothing where the program shares the host's network."""
        self._model: ModelProxy | None = None
        self._hosts: HostProxy | None = None
        alone = isolated(settings, network=network)
        self.nowhere = alone and not (hosts or model)
        """Whether there is no way out at all, so that no model can have been used."""
        if not (hosts or model or alone):
            return
        outward = Outward.of(settings)
        place = folder if alone else None
        with ExitStack() as opening:
            if model:
                from ops_orchestrate.adapters.modelproxy.proxy import ModelProxy  # late: httpx is slow to import

                self._model = ModelProxy(
                    model.upstream, model.key, folder=place, limits=model.limits, price=model.price, outward=outward
                )
                opening.callback(self._model.close)
                self.doors += self._model.doors
                self.env |= dict.fromkeys(model.url_names, self._model.base_url)
                self.env |= dict.fromkeys(model.key_names, self._model.placeholder)
            if (hosts or alone) and not network:  # without a list it leads nowhere, and hears what was asked for
                self._hosts = proxy = HostProxy([read_host(host) for host in hosts], folder=place, outward=outward)
                opening.callback(proxy.close)
                self.doors += proxy.doors
                self.env |= proxy.env
                self.reads = proxy.reads
            self._open = opening.pop_all()

    @property
    def unlisted(self) -> tuple[str, ...]:
        """Hosts that the program asked for and that the owner has not named."""
        return self._hosts.unlisted if self._hosts else ()

    def trouble(self) -> ModelTrouble | None:
        """What the model's API said since it last answered well; None where there is none, or all is well."""
        return self._model.trouble() if self._model else None

    def close(self) -> ModelUsage | None:
        """Shut them; what was used of the model, where there was one."""
        self._open.close()
        return self._model.usage() if self._model else None

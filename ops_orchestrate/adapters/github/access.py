"""How git gets our token: in the environment of one process, for one host, over an encrypted connection.

Never in a URL, an argument list, a remote or a configuration file. Remotes over ssh and on this disk get nothing. Where
nobody has a personal token git goes on with the user's own credential helpers; in the place of an App nobody acts.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping

from ops_orchestrate.adapters.github.address import Address
from ops_orchestrate.adapters.github.auth import Identity
from ops_orchestrate.errors import SourceUnavailable

_PROTOCOLS = "https:ssh:file:http"


class GitHubAccess:
    """Implements git.Access for the repositories of one GitHub."""

    def __init__(self, address: Address, identity: Identity) -> None:
        self._origin = address.git_origin
        self._plain = address.plain
        self._identity = identity

    def environment(self, url: str) -> Mapping[str, str]:
        """What a fetch from, or a push to, `url` needs in its environment; nothing for any other host.

        Raises SourceUnavailable where we act as a GitHub App and there is no token of it.
        """
        if not url.startswith(f"{self._origin}/"):
            return {}
        try:
            token = self._identity.token()
        except SourceUnavailable as error:
            if self._identity.bot:
                # The owner has said who acts there. The user's own credentials may do more than the App may.
                raise SourceUnavailable(f"{error} Git is not tried with your own credentials instead.") from None
            return {}
        basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
        found = {
            "GIT_CONFIG_COUNT": "3",
            # An empty value first: what the user's own configuration sends to this host is not sent beside it.
            "GIT_CONFIG_KEY_0": f"http.{self._origin}/.extraHeader",
            "GIT_CONFIG_VALUE_0": "",
            "GIT_CONFIG_KEY_1": f"http.{self._origin}/.extraHeader",
            "GIT_CONFIG_VALUE_1": f"Authorization: Basic {basic}",
            # After a redirect git sends the header with whatever it asks there, also on another host.
            "GIT_CONFIG_KEY_2": f"http.{self._origin}/.followRedirects",
            "GIT_CONFIG_VALUE_2": "false",
        }
        # Plain HTTP is for servers on this machine only, and read_address sees to that.
        return found | ({"GIT_ALLOW_PROTOCOL": _PROTOCOLS} if self._plain else {})

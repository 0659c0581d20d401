"""Where changes live and are merged: one module a forge, each an implementation of ports.Forge."""

"""One step of a run per file. A step asks a rule of `core`, does what it says through a port, and records it.

Steps return; they never raise for what is expected. They know the ledger, the canvas and the ports, and no adapter:
`wiring` hands those in as a `Toolbox`.
"""

"""A GitHub to run against without GitHub: real HTTP on loopback, real bare repositories, real merges, kept state.

It stands for what lives on the internet, so it knows nothing of the engine and the engine nothing of it: the same
client code speaks to both. `run.Standin` starts it; `control_work.Control` (in process) or `/_control/` (over HTTP) is
the other side of the curtain: people, rules, CI results, faults, and the journal of everything that happened.
"""

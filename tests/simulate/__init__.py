"""A seeded simulation of the merge gate: worlds in which a forge, its CI, people and our own workers misbehave.

`forge` is the world and all that is true in it, `views` what it answers (which may be old, cut or unknown), `weather`
what goes wrong in one world. `loop` drives the real `decide` as the landing step does, with `stages` and `acts` for
what it does and `ledger` for what it remembers. `oracle` judges by the world's own history alone, `mutants` are the
defects of real incidents, `figures` runs many worlds. `make simulate` prints them; docs/reliability.md keeps a table.
"""

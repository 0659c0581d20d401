"""Which process does what, with which limits: what operations change. The product's rules are in `ops_orchestrate`."""

"""What people and scripts read of a run: tables, plan, report, JSON and the outside check.

All of it is made of ledger events. Nothing here asks git, a forge or the ledger: a report that asked again
could disagree with what was done.
"""

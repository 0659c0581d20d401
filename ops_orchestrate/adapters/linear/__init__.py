"""Linear: the tickets of the current cycle as findings, and moving a ticket to done."""

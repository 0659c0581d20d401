"""Scripted hostile agents, in the real sandbox and without it: what they steal, and what they do to the host."""

"""The merge gate: what a forge says of a pull request, and the one pure decision over it.

`pull` holds the values, `checks` says what the checks amount to, `decide` is the truth table, `failure`
tells what kind of failure a red check is. Nothing here reads a clock or asks a forge.
"""

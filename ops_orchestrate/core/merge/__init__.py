"""The merge gate: what a forge says of a pull request, and the one pure decision over it.

`pull` and `snapshot` hold the values, `checks` says what the checks amount to, `decide` is the truth table and the
`rows_*` files its rows, `failure` tells what kind of failure a red check is, `relevant` what the next brief is told of
it, `regression` whether a red workflow is worth a task. Nothing here reads a clock or asks a forge.
"""

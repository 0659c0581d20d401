"""One figure a module: `measure(effort)` gives a Result. `python -m benchmarks NAME` runs one."""

"""The command: one verb a file. A verb parses, calls one function of engine, report or wiring, returns an exit code."""

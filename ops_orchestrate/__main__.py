"""`python -m ops_orchestrate` is the command `ops-orchestrate`."""

from ops_orchestrate.cli.main import main

raise SystemExit(main())

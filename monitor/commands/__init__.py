"""One file a subcommand: `HELP`, `add_arguments(parser)`, and `run(args)` which returns the exit status."""

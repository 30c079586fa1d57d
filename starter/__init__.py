"""Everything that is a client of Temporal: intake, web process, command line, and the supervisor of `make run`."""

"""The command line: a module a command, and the wiring of adapters to ports."""

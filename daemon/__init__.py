"""The daemon: decides everything, owns all state, holds the runs. Nothing is imported here: start at `service`."""

"""The daemon: decides everything, owns all state, holds the runs. Imports nothing here: see `service`."""

"""For testing crowdd and what extends it: simulated workers, the simulated world, the history checker."""

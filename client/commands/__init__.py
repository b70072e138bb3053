"""The commands of crowdctl, one module a group. Each imports what it needs when it runs."""

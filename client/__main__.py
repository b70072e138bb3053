"""`python -m crowdd.client`: crowdctl, where its command is not on the path."""

from .crowdctl import main

main(prog_name="crowdctl")

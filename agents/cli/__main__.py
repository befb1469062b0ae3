"""`python -m agents.cli`: the same as the `tierstream` command, for whoever starts it from this very interpreter."""

from agents.cli import main

main()

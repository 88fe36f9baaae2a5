"""``python -m siaga``: the same as the command."""

from siaga.cli import main

main()

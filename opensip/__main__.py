"""`python -m opensip` is the command `opensip`."""

from opensip.cli import main

main()

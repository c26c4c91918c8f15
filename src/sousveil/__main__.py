"""Run the command line with `python -m sousveil`."""

from sousveil.cli import main

main()

"""``twosup``, the command line: `main` is its entry point, the commands are put together in `app`.

What a command needs is imported when it runs, so that ``twosup --help`` is quick.
"""

import sys


def main() -> None:
    """Runs ``twosup`` with the arguments of the process, and exits."""
    try:
        from twosup_chain.cli.app import app
    except KeyboardInterrupt:
        sys.exit(130)
    app(prog_name="twosup")

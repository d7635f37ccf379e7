"""Where the installed command begins: whatever imports this module imports nothing else before the path is clean.

Neither here nor in :mod:`backaudit.isolation` stands an import that a file of the scanned project could answer.
"""

from backaudit.isolation import begin


def main() -> None:
    """Run the command and exit with its code."""
    begin()
    from backaudit.cli import main as run

    run()

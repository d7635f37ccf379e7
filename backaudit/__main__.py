"""``python -m backaudit``."""

from backaudit.isolation import isolate

# Before anything else is imported: a scanned project may hold a ``click.py``.
isolate()

from backaudit.cli import main  # noqa: E402

if __name__ == "__main__":
    main()

"""``python -m backaudit``."""

from backaudit.entry import main

if __name__ == "__main__":
    main()

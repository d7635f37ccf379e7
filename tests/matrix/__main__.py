"""``make matrix``: scan every program, print the table and what fails, and renew the record and docs/coverage.md.

    python -m tests.matrix [--write FOLDER] [--only TEXT] [--every N] [--triples N] [--jobs N] [--keep]

``--write`` leaves each failing program in a folder of its own; ``--only`` takes the rows whose names hold a text,
``--every`` one row of N; ``--triples`` adds as many rows picked by chance. With any of these, or ``--keep``, the
record stays as it is.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from pathlib import Path

from tests.matrix.compose import Row, programs
from tests.matrix.harness import Answer, answers
from tests.matrix.pairs import rows, triples
from tests.matrix.record import save
from tests.matrix.table import AXES, failing, full_cells, summary, written_table


def main(arguments: list[str]) -> int:
    """Run the matrix; 0 whatever fails, for the record says what is known to."""
    asked = _asked(arguments)
    wanted = [row for row in rows() if asked.only in str(row)][:: asked.every]
    wanted += triples(asked.triples)
    begun = time.monotonic()
    found = answers(wanted, asked.jobs)
    for axis in AXES:
        print("\n".join(written_table(found, axis)), end="\n\n")
    print("\n".join(failing(found)))
    print(f"\n{summary(found)}; {full_cells(found)}; {sum(answer.shown for answer in found)} are shown by default.")
    print(f"{len(found)} programs in {time.monotonic() - begun:.0f} seconds.")
    if asked.write:
        _write(Path(asked.write), found)
    if asked.every == 1 and not (asked.only or asked.triples or asked.keep):
        save(found)
    return 0


def _asked(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.matrix")
    parser.add_argument("--write", default="")
    parser.add_argument("--only", default="")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--triples", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=0)
    parser.add_argument("--keep", action="store_true")
    return parser.parse_args(arguments)


def _write(folder: Path, found: list[Answer]) -> None:
    """Each failing program in a folder named after it."""
    failed = {answer.name: answer.row for answer in found if answer.verdict}
    for row in dict.fromkeys(failed.values()):
        for program in programs(row):
            if program.name in failed:
                _write_one(folder / _folder_name(row, program.variant), program.files)


def _folder_name(row: Row, variant: str) -> str:
    return re.sub(r"\W+", "-", f"{row}-{variant}")


def _write_one(folder: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

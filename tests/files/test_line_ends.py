"""The same program with other line ends, or in another encoding, has the same findings (the whole: ``make soak``)."""

from __future__ import annotations

import itertools

import pytest

from backaudit import plugins
from tests.bench.line_ends import FIXTURES, differences, programs

LOADED = plugins.load(reraise=True)
SAMPLE = [
    "errors/unhandled_not_found", "validation/sql_injection", "passwords/plaintext_storage", "auth/missing_auth",
    "indexes/unindexed_filter", "secrets/hardcoded_secret", "secrets/secret_in_deploy_file", "deploy/docker_root",
]  # fmt: skip


@pytest.mark.parametrize("name", SAMPLE)
def test_other_line_ends_and_encodings_change_no_finding(name: str) -> None:
    for program, files in itertools.islice(programs(FIXTURES / name), 2):
        assert [(program, *found) for found in differences(files, LOADED) if found[1]] == []

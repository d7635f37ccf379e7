"""Dockerfiles, held against BuildKit's own parser where it is installed (it has no wheel for every machine)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backaudit.extract.docker import instructions

buildkit = pytest.importorskip("dockerfile")

PARTS = """RUN a b
run a \\
    c
# note
  # note

\x20
USER app
USER $UID:0
CMD ["a", "b"]
CMD a && b
RUN <<EOF
EOF
  EOF
RUN <<-'END' cat
\tEND
ENV A=1 B="x y" \\
ENV A two words
COPY --chown=1:1 a b
ENTRYPOINT ["x",
ARG V
ARG V=1
EXPOSE 80
LABEL a=b
COPY <<A <<B /x/
A
B
RUN a \\ \x20
FROM b AS c
HEALTHCHECK CMD x
ONBUILD RUN y
  USER app
RUN echo '<<EOF'
RUN a << EOF
RUN a<<EOF
RUN 3<<EOF cat""".split("\n")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(PARTS), max_size=9), st.sampled_from(("\n", "\r\n")), st.booleans())
def test_instructions_are_buildkits(parts: list[str], end: str, other_escape: bool) -> None:
    head = ["# escape=`"] if other_escape else []
    rows = [*head, "FROM python:3", *parts]
    text = end.join(row.replace("\\", "`") if other_escape else row for row in rows)
    try:
        wanted = [(found.cmd.upper(), found.start_line) for found in buildkit.parse_string(text)]
    except buildkit.GoParseError:
        return  # they refuse the whole file, where ours reads what it can
    assert [(found.keyword, found.span.line) for found in instructions(text)] == wanted

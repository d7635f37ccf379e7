"""Parts of a request, by the words that libraries have for them."""

from __future__ import annotations

from backaudit.backend.web.records import CLIENT, Where
from backaudit.project import Project


def located(project: Project, said: str, usual: Where) -> Where:
    """The part of a request that a library's word means; ``usual`` where it is none of its words."""
    meant = project.models.words["locations"].get(said)
    return next((where for where in CLIENT if where == meant), usual)

"""Whether a handler answers data, as an API does, or pages."""

from __future__ import annotations

from backaudit.backend.web.records import UNMOUNTED, Endpoint
from backaudit.backend.web.responses import Answer, answers
from backaudit.project import Code, Project
from backaudit.project.code import SERVING
from backaudit.vocabulary.protocols import FORM_METHODS

_REDIRECTS = range(300, 400)


def answers_data(project: Project, code: Code) -> bool:
    """Whether no page is among the answers of a handler, and something else than a redirect is."""
    given = answers(project, code)
    return not any(_is_page(project, answer) for answer in given) and any(map(_is_body, given))


def is_of_an_api(project: Project, endpoint: Endpoint) -> bool:
    """Whether a route answers data: pages have addresses such as ``/tasks/create``, where a form is."""
    route = endpoint.route
    if UNMOUNTED in route.tags or project.role(route.handler.path) not in SERVING:
        return False
    return bool(endpoint.response) or not FORM_METHODS.issuperset(route.methods) or answers_data(project, route.handler)


def _is_page(project: Project, answer: Answer) -> bool:
    return answer.maker.rpartition(".")[2] in project.models.kinds["renderers"]


def _is_body(answer: Answer) -> bool:
    return answer.how == "return" and bool(answer.body) and answer.status not in _REDIRECTS

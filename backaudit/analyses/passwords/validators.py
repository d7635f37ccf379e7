"""Registrations that leave the judgement of a password to a setting which lists nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from backaudit.analyses.passwords.policy import LEAST, judged
from backaudit.backend.deployment.django_settings import django_setting, uses_django
from backaudit.facts import ops
from backaudit.facts.place import Place
from backaudit.project import ClassView, Node, Project
from backaudit.project.locate import behind

_SETTING = "AUTH_PASSWORD_VALIDATORS"


def unjudged(project: Project) -> Iterator[tuple[Place, str]]:
    """Where a password is left to validators and there are none, with what is so there."""
    if not uses_django(project):
        return
    setting = django_setting(project, _SETTING)
    if setting is not None and not _is_empty(project, setting.value):
        return
    found = next(_relying(project), None)
    if setting is not None:
        found = found or next(_making(project), None)
        if found is not None:
            yield setting.place, f"`{_SETTING}` lists nothing, so that `{_name(found)}` takes any password"
    elif found is not None:
        yield (
            found.place,
            f"`{_name(found)}` asks the validators of `{_SETTING}`, which is not set: any password is taken",
        )


def _is_empty(project: Project, value: Node) -> bool:
    """Whether a setting is a list that nothing stands in, wherever it was made."""
    made = list(behind(project, value))
    return bool(made) and all(isinstance(node.op, ops.Build) and not node.op.items for node in made)


def _relying(project: Project) -> Iterator[Node]:
    """Uses of forms, and calls of functions, that ask the setting's validators."""
    kinds = project.models.kinds
    bases = sorted(kinds.get("judging-forms", ()))
    yield from _in_production(project, project.calls(*bases, *sorted(kinds.get("asks-validators", ()))))
    for cls in project.subclasses(*bases):
        if project.role(cls.file.path) == "production" and not _judges(project, cls):
            yield from _in_production(project, project.calls_of(cls.name.rpartition(".")[2]))
            yield from _held(project, cls.name)
    for base in bases:
        yield from _held(project, base)


def _in_production(project: Project, calls: Iterable[Node]) -> Iterator[Node]:
    yield from (call for call in calls if project.role(call.code.path) == "production")


def _held(project: Project, form: str) -> Iterator[Node]:
    """``form_class = UserCreationForm`` of a view."""
    for view in project.subclasses(*sorted(project.models.kinds.get("view-classes", ()))):
        field = view.fields.get("form_class")
        if field is not None and form in project.names(field.origin) and project.role(view.file.path) == "production":
            yield field


def _making(project: Project) -> Iterator[Node]:
    """Accounts that code makes with a password that it does not look at itself."""
    for call in _in_production(project, project.calls_of("create_user")):
        if call.arg(2, "password") is not None and judged(project, call.code) < LEAST:
            yield call


def _judges(project: Project, cls: ClassView) -> bool:
    """Whether a form looks at the password itself."""
    return any(judged(project, code) >= LEAST for code in cls.methods.values())


def _name(node: Node) -> str:
    return node.method if node.call is not None else node.origin.spelled


__all__ = ["unjudged"]

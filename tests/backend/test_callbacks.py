"""What libraries call with a client's data beside routes: which functions, and which of their parameters."""

from __future__ import annotations

import pytest

from backaudit.backend.web.callbacks import callbacks
from backaudit.backend.web.catching import request_handlers
from backaudit.backend.web.routes import entries
from backaudit.project import Project
from tests.projects import project


def read(linked: Project) -> dict[str, dict[str, tuple[str, tuple[str, ...]]]]:
    """Functions, their parameters, and where each comes from, with its types."""
    return {
        code.function.name: {p.name: (p.where, p.types) for p in linked.once(entries)[code]}
        for code in linked.once(callbacks)
    }


SOCKET = """
    import socketio
    sio = socketio.AsyncServer()

    @sio.event
    async def connect(sid, environ, auth): ...

    @sio.on("*", namespace="/x")
    async def anything(event, sid, data): ...
    """


def test_a_session_id_and_the_environment_are_no_clients() -> None:
    found = read(project({"app.py": SOCKET}))
    assert found["connect"] == {"sid": ("other", ()), "environ": ("other", ()), "auth": ("body", ())}
    assert found["anything"]["sid"] == ("other", ())


GRAPHENE = """
    import graphene

    class Rename(graphene.Mutation):
        class Arguments:
            name = graphene.String(required=True)
            number = graphene.NonNull(graphene.Int)

        def mutate(self, info, name, number): ...

    class Query(graphene.ObjectType):
        item = graphene.Field(graphene.String, number=graphene.Argument(graphene.Int))

        def resolve_item(parent, info, number, **rest): ...
        def helper(self, info, name): ...
    """


def test_the_types_of_arguments_stand_in_the_class() -> None:
    found = read(project({"app.py": GRAPHENE}))
    assert found["mutate"]["name"] == ("body", ("builtins.str",))
    assert found["mutate"]["number"] == ("body", ("builtins.int",))
    assert found["resolve_item"]["parent"][0] == found["resolve_item"]["info"][0] == "other"
    assert found["resolve_item"]["number"] == ("body", ("builtins.int",))
    assert found["resolve_item"]["rest"][0] == "body"
    assert "helper" not in found


ARIADNE = '''
    from ariadne import MutationType, gql
    types = gql("""
        type Mutation {
            rename(itemId: Int!, newName: String!): Boolean
        }
    """)
    mutation = MutationType()

    @mutation.field("rename")
    async def rename(obj, info, *, item_id, new_name): ...

    def plain(obj, info, text): ...

    mutation.set_field("plain", plain)
    '''


def test_the_types_of_arguments_stand_in_the_text_of_the_schema() -> None:
    found = read(project({"app.py": ARIADNE}))
    assert found["rename"]["item_id"] == ("body", ("builtins.int",))
    assert found["rename"]["new_name"] == ("body", ("builtins.str",))
    assert found["plain"] == {"obj": ("other", ()), "info": ("other", ()), "text": ("body", ())}


STRAWBERRY = """
    import strawberry
    from strawberry.types import Info

    @strawberry.input
    class Wanted:
        name: str

    @strawberry.type
    class Query:
        @strawberry.field(description="items")
        def items(self, context: Info, wanted: Wanted, key: strawberry.ID) -> list[str]: ...

        def helper(self, name: str) -> str: ...
    """


def test_annotations_tell_what_the_schema_checks() -> None:
    linked = project({"app.py": STRAWBERRY})
    found = read(linked)
    assert found["items"]["self"][0] == "self"
    assert found["items"]["context"][0] == "other"
    assert found["items"]["key"] == ("body", ("builtins.str",))
    assert "helper" not in found
    [code] = linked.once(callbacks)
    assert next(p for p in linked.once(entries)[code] if p.name == "wanted").schema


@pytest.mark.parametrize("text", [SOCKET, GRAPHENE, ARIADNE, STRAWBERRY])
def test_they_answer_requests(text: str) -> None:
    linked = project({"app.py": text})
    assert set(linked.once(callbacks)) == linked.once(request_handlers)

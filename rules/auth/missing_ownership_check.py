"""auth/missing-ownership-check."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.auth.claimed import claimed
from backaudit.analyses.auth.ownership import Unowned, unowned
from backaudit.project import Project
from backaudit.rule import Finding, Step, capitalized, rule


@rule("auth/missing-ownership-check", severity="high", cwe=639, owasp=("A01:2025", "A01:2021", "API1:2023"))
def missing_ownership_check(project: Project) -> Iterator[Finding]:
    """A row is picked by the client's id and changed or shown without asking whose it is.

    The caller is logged in, and that is all that is asked. By counting the id up, any user reads or changes what
    belongs to any other. It is the first risk of APIs in OWASP's list, and no scanner of traffic sees it, since every
    request looks right.

    Mend: look the row up by its id *and* the caller, so that a stranger's row is not found:
    `Note.objects.get(id=note_id, owner=request.user)`, `.filter(Note.id == note_id, Note.owner_id == user.id)`; or
    compare the owner with the caller and answer 404 or 403.

    Given:
        from fastapi import Depends, FastAPI, HTTPException
        from fastapi.security import OAuth2PasswordBearer
        from sqlalchemy import ForeignKey
        from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

        app = FastAPI()
        bearer = OAuth2PasswordBearer(tokenUrl="login")

        class Base(DeclarativeBase):
            pass

        class User(Base):
            __tablename__ = "users"
            id: Mapped[int] = mapped_column(primary_key=True)

        class Note(Base):
            __tablename__ = "notes"
            id: Mapped[int] = mapped_column(primary_key=True)
            owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"))

        def get_db() -> Session:
            ...

        def current_user(token: str = Depends(bearer)) -> User:
            ...

    Bad:
        @app.delete("/notes/{note_id}")
        def delete_note(note_id: int, db: Session = Depends(get_db), user: User = Depends(current_user)):
            note = db.query(Note).filter(Note.id == note_id).first()
            db.delete(note)
            db.commit()

    Good:
        @app.delete("/notes/{note_id}")
        def delete_note(note_id: int, db: Session = Depends(get_db), user: User = Depends(current_user)):
            note = db.query(Note).filter(Note.id == note_id, Note.owner_id == user.id).first()
            if note is None:
                raise HTTPException(404)
            db.delete(note)
            db.commit()

    Links:
        https://owasp.org/API-Security/editions/2023/en/0xa1-broken-object-level-authorization/
        https://cheatsheetseries.owasp.org/cheatsheets/Insecure_Direct_Object_Reference_Prevention_Cheat_Sheet.html
    """
    for item in project.once(unowned):
        yield Finding(
            place=item.place,
            message=_message(item),
            remedy=_remedy(project, item),
            assumed=item.assumed,
            trace=_trace(item),
            scope=item.route.handler.function.qualname,
        )
    for new in project.once(claimed):
        text, remedy = new.told, new.remedy
        yield Finding(place=new.at, message=text, remedy=remedy, assumed=new.assumed, trace=new.trace, scope=new.scope)


def _message(item: Unowned) -> str:
    route = capitalized(item.route.label)
    what = item.table.model.rpartition(".")[2] or item.table.name
    if item.act == "added to":
        return f"{route}: all callers add rows to the {what} row that the client names; `{item.owner}` is never asked."
    how = f"is {item.act}"
    if item.owner == "id":
        return f"{route}: any {what} {how} by the id that the client sends; it is not compared with the caller's."
    return f"{route}: the {what} row that the client names {how} for every caller; `{item.owner}` is never asked."


def _remedy(project: Project, item: Unowned) -> str:
    ties, field = project.models.framework(item.route.framework), item.owner.removesuffix("_id")
    if item.route.view is not None and item.route.handler.function.kind == "class" and ties.ties_view:
        return ties.ties_view.format(field=field)
    if ties.ties_look_up:
        return ties.ties_look_up.format(field=field)
    if not item.table.model:
        return f"Add `AND {item.owner} = <the caller's id>` to the statement, and answer 404 when no row is hit."
    model = item.table.model.rpartition(".")[2]
    return f"Add `{model}.{item.owner} == <the caller's id>` to the look-up, and answer 404 when nothing is found."


def _trace(item: Unowned) -> tuple[Step, ...]:
    what = "the route is" if item.route.framework else "this is"
    steps = [Step(item.route.place, f"{what} open to every user who is logged in")]
    if item.inner is not None:
        steps.append(Step(item.place, "the client's key is handed on"))
        steps.append(Step(item.inner, "the row is picked by it alone"))
    else:
        steps.append(Step(item.place, "the row is picked by the client's key alone"))
    return tuple(steps)

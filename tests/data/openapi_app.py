"""A FastAPI application with a bit of everything, to hold the documents of ``map`` against FastAPI's own."""

import enum
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Cookie, Depends, FastAPI, File, Form, Header, Path, Query, UploadFile
from fastapi.security import HTTPBearer, OAuth2PasswordRequestForm
from pydantic import BaseModel, ConfigDict, Field


class Kind(str, enum.Enum):
    small = "s"
    large = "l"


class Part(BaseModel):
    count: int = Field(ge=0, le=10)
    note: str | None = Field(default=None, max_length=40)


class ItemBase(BaseModel):
    title: str = Field(min_length=1, max_length=80)
    price: float = Field(gt=0)
    kind: Kind = Kind.small


class ItemIn(ItemBase):
    model_config = ConfigDict(extra="forbid")

    parts: list[Part] = []
    tags: Annotated[list[str], Field(max_length=5)] = []
    when: datetime
    day: date | None = None
    mode: Literal["a", "b"] = "a"
    either: int | str
    more: dict[str, int] = {}
    anything: Any = None


class ItemOut(ItemBase):
    id: UUID
    parts: list[Part]


class Page(BaseModel):
    items: list[ItemOut]
    total: int


def paging(skip: int = 0, limit: Annotated[int, Query(ge=1, le=100)] = 20) -> dict[str, int]:
    return {"skip": skip, "limit": limit}


Paging = Annotated[dict[str, int], Depends(paging)]
bearer = HTTPBearer()
app = FastAPI(title="Everything")
router = APIRouter(prefix="/items", tags=["items"])
inner = APIRouter()


@router.get("/", response_model=Page)
def list_items(page: Paging, kind: Kind | None = None, q: Annotated[str | None, Query(max_length=50)] = None) -> Any:
    return {"items": [], "total": 0}


@router.post("/", status_code=201)
def create_item(item: ItemIn, token: str = Depends(bearer)) -> ItemOut:
    raise NotImplementedError


@router.get("/{item_id}")
def read_item(item_id: UUID, x_trace: str = Header(), session: str | None = Cookie(None)) -> ItemOut:
    raise NotImplementedError


@router.put("/{item_id}/parts/{index}")
def put_part(item_id: UUID, part: Part, index: int = Path(ge=0, lt=100), force: bool = False) -> None: ...


@router.delete("/{item_id}", status_code=204)
def delete_item(item_id: UUID) -> None: ...


@inner.patch("/pair")
def pair(first: Part, second: Part, weight: Annotated[float, Body()]) -> Any: ...


@inner.post("/embedded")
def embedded(part: Annotated[Part, Body(embed=True)]) -> Any: ...


@inner.post("/several")
def several(parts: list[Part]) -> Any: ...


@inner.post("/form")
def form(name: str = Form(max_length=20), age: int = Form(0)) -> Any: ...


@inner.post("/upload")
def upload(file: UploadFile, note: str = Form("")) -> Any: ...


@inner.post("/bytes")
def raw_bytes(data: bytes = File()) -> Any: ...


@inner.post("/token")
def token(data: Annotated[OAuth2PasswordRequestForm, Depends()]) -> Any: ...


@inner.get("/list")
def listed(ids: Annotated[list[int], Query()], names: list[str] = Query(default=[])) -> Any: ...  # noqa: B008


def own_part(part_no: int = Path(ge=1)) -> int:
    return part_no


@inner.get("/own/{part_no}")
def own(part: Annotated[int, Depends(own_part)]) -> Any: ...


@inner.patch("/free")
def free(changes: dict[str, Any]) -> Any: ...


router.include_router(inner, prefix="/inner")
app.include_router(router, prefix="/api")


@app.get("/health", tags=["meta"])
def health() -> dict[str, str]:
    return {"status": "ok"}

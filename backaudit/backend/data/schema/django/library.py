"""Models that Django and well-known packages bring: what projects extend, and what their keys lead to."""

from __future__ import annotations

from backaudit.sql import Column

USER = "django.contrib.auth.models.User"


def _column(
    name: str, type_: str, length: int | None = None, *, nullable: bool = False, unique: bool = False, few: bool = False
) -> Column:
    return Column(name=name, attribute=name, type=type_, length=length, nullable=nullable, unique=unique, few=few)


_BASE_USER = (_column("password", "CharField", 128), _column("last_login", "DateTimeField", nullable=True))
_PERMISSIONS = (_column("is_superuser", "BooleanField", few=True),)
NAMED_USER = (
    *_BASE_USER,
    *_PERMISSIONS,
    _column("username", "CharField", 150, unique=True),
    _column("first_name", "CharField", 150),
    _column("last_name", "CharField", 150),
    _column("email", "EmailField", 254),
    _column("is_staff", "BooleanField", few=True),
    _column("is_active", "BooleanField", few=True),
    _column("date_joined", "DateTimeField"),
)
_DATED = (_column("created", "DateTimeField"), _column("modified", "DateTimeField"))
_TREE = (
    _column("lft", "PositiveIntegerField"),
    _column("rght", "PositiveIntegerField"),
    _column("tree_id", "PositiveIntegerField"),
    _column("level", "PositiveIntegerField"),
)
# Columns that a base brings along.
FIELDS = {
    "django.contrib.auth.models.AbstractUser": NAMED_USER,
    "django.contrib.auth.models.AbstractBaseUser": _BASE_USER,
    "django.contrib.auth.base_user.AbstractBaseUser": _BASE_USER,
    "django.contrib.auth.models.PermissionsMixin": _PERMISSIONS,
    "model_utils.models.TimeStampedModel": _DATED,
    "django_extensions.db.models.TimeStampedModel": _DATED,
    "mptt.models.MPTTModel": _TREE,
}
USERS = frozenset(
    {
        "django.contrib.auth.models.AbstractUser",
        "django.contrib.auth.models.AbstractBaseUser",
        "django.contrib.auth.base_user.AbstractBaseUser",
    }
)
# Many-to-many fields that a base brings along: name, target.
_GROUPS = (("groups", "auth.group"), ("user_permissions", "auth.permission"))
MANY = {
    "django.contrib.auth.models.AbstractUser": _GROUPS,
    "django.contrib.auth.models.PermissionsMixin": _GROUPS,
}
# Tables of the library's own models, by application and model.
TABLES = {
    "auth.user": "auth_user",
    "auth.group": "auth_group",
    "auth.permission": "auth_permission",
    "contenttypes.contenttype": "django_content_type",
    "sites.site": "django_site",
}

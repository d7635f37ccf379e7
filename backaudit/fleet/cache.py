"""Facts that workers share: the cache of one machine, and behind it a folder or a bucket that all of them see.

What is shared is plain data under the digest of all that it depends on, with a checksum: nothing of it is executed. Who
may write there may tell the others what they find: it belongs to those who run the fleet alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from backaudit.cache import Cache, checked, sealed
from backaudit.usage import UsageError

# Nobody's facts of a file, or results of a project, are larger.
_LARGEST = 1 << 28


class Shared(Cache):
    """The cache of this machine in front of one that several share."""

    def __init__(self, folder: Path | None, url: str) -> None:
        super().__init__(folder)
        self._files, self._base = _opened(url)

    @property
    def usable(self) -> bool:
        return True

    def get_many(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """The values of those keys that are known here, or else to the others."""
        wanted = list(keys)
        found = super().get_many(wanted)
        far = self._fetched([key for key in wanted if key not in found])
        if far:
            super().put_many(far)
        return {**found, **far}

    def put_many(self, items: Mapping[bytes, bytes]) -> None:
        """Keep the items here, and tell the others."""
        super().put_many(items)
        with suppress(OSError):
            self._files.pipe({self._place(key): sealed(key, value) for key, value in items.items()})

    def _fetched(self, keys: list[bytes]) -> dict[bytes, bytes]:
        if not keys:
            return {}
        try:
            stored: Mapping[str, Any] = self._files.cat([self._place(key) for key in keys], on_error="omit")
        except OSError:
            return {}
        values = {key: checked(key, stored.get(self._place(key))) for key in keys}
        return {key: value for key, value in values.items() if value is not None and len(value) <= _LARGEST}

    def _place(self, key: bytes) -> str:
        name = key.hex()
        return f"{self._base}/{name[:2]}/{name[2:]}"


def shared(folder: Path | None, url: str) -> Cache:
    """The cache of this machine, with the one behind it if there is any."""
    return Shared(folder, url) if url else Cache(folder)


def _opened(url: str) -> tuple[Any, str]:
    """The file system of a URL, and the path in it."""
    import fsspec

    is_here = "://" not in url or url.startswith(("file://", "local://"))
    try:
        files, path = fsspec.core.url_to_fs(url, **({"auto_mkdir": True} if is_here else {}))
    except (ImportError, ValueError) as error:
        raise UsageError(f"The facts at {url} cannot be reached: {error}.") from error
    return files, path.rstrip("/")

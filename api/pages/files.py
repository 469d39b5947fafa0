"""The files that pages load: scripts and styles of the maps, and our own, read once."""

import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from maps.assets import asset_files

BASE = "/assets/"
_STATIC = Path(__file__).with_name("static")
_TYPES = {".js": "text/javascript", ".woff2": "font/woff2", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class Asset:
    """A file to serve."""

    body: bytes
    media_type: str
    etag: str


@dataclass(frozen=True)
class Assets:
    """All files, and a version that changes with any of them."""

    files: Mapping[str, Asset]
    version: str


@cache
def load_assets() -> Assets:
    """Read every file that pages load: those of the maps, and ours below ``pages/``.

    Raises
    ------
    MissingAssetError
        A file is not installed.
    """
    paths = asset_files() | {f"pages/{path.name}": path for path in sorted(_STATIC.iterdir())}
    files = {name: _read(path) for name, path in paths.items()}
    whole = hashlib.sha256("".join(f"{name}{files[name].etag}" for name in sorted(files)).encode())
    return Assets(files, whole.hexdigest()[:16])


def _read(path: Path) -> Asset:
    body = path.read_bytes()
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0]
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    return Asset(body, kind or "application/octet-stream", etag)


def asset_url(name: str) -> str:
    """Return the address of a file that may be kept for ever: it changes with the files."""
    return f"{BASE}{load_assets().version}/{name}"


def with_version(header: str) -> str:
    """Put the version into the addresses of a map's links, so that browsers may keep the files.

    Parameters
    ----------
    header
        Links and styles of `maps.page.parts`, which name files right below ``/assets/``.
    """
    return header.replace(f'"{BASE}', f'"{BASE}{load_assets().version}/')

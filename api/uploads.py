"""Files of territory that people send, kept in the data folder while they are read."""

import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath

import yaml
from fastapi import UploadFile

import api
from api.schemas.imports import UploadIn
from geodata.columns import fields_of
from geodata.errors import InvalidParameterError
from geodata.yaml_text import load_yaml
from gridsvc.db import Database, Scope, clear_connection_errors
from gridsvc.embedded import choose_home
from gridsvc.local_time import local_today
from gridsvc.settings import Settings
from gridsvc.territory.importing import service
from gridsvc.territory.importing.model import FileWish, TerritoryImport

_CHECKOUT = Path(api.__file__).resolve().parent.parent
_LONGEST_NAME = 80
_PLAIN = "file"
_PIECE_BYTES = 1 << 20


def stage_upload(
    database: Database,
    scope: Scope,
    settings: Settings,
    upload: UploadFile,
    form: UploadIn,
    *,
    entrances: UploadFile | None = None,
) -> TerritoryImport:
    """Stage a file that was sent, in transactions of its own.

    Parameters
    ----------
    entrances
        The file of entrances that came with it.

    Raises
    ------
    GeodataError
        The file cannot be read; nothing was staged.
    ImportNeedsStreetError, NotFoundError
        The sub-district is not the caller's, or has no community.
    """
    columns = columns_of(form.columns, form.layer)
    with clear_connection_errors():
        with database.session(scope, read_only=True) as session, session.begin():
            street_code = service.street_of_caller(session, form.street)
        with ExitStack() as opened:
            path = opened.enter_context(kept(upload, settings))
            beside = opened.enter_context(kept(entrances, settings)) if entrances else None
            wish = FileWish(
                path,
                form.layer,
                street_code,
                form.valid_from or local_today(),
                crs=form.crs.strip() or None,
                encoding=form.encoding.strip() or None,
                source_layer=form.source_layer or None,
                columns=columns,
                entrances=beside,
                entrances_crs=form.entrances_crs.strip() or None,
            )
            return service.stage(database, scope, wish)


def fingerprint(upload: UploadFile, form: UploadIn, *, entrances: UploadFile | None) -> bytes:
    """Return what tells one request with files from another; the files stand at their start."""
    told = b""
    for sent in filter(None, (upload, entrances)):
        digest = hashlib.sha256()
        while piece := sent.file.read(_PIECE_BYTES):
            digest.update(piece)
        sent.file.seek(0)
        told += digest.digest() + repr(sent.filename).encode()
    return told + repr(form).encode()


def sent_file(upload: UploadFile | None) -> UploadFile | None:
    """Return a file that need not be sent; browsers send an empty one where none was chosen."""
    return upload if upload is not None and upload.filename else None


@contextmanager
def kept(upload: UploadFile, settings: Settings) -> Iterator[Path]:
    """Give a path to what was sent, in a folder that nobody else reads and no address leads to."""
    home, _ = choose_home(_CHECKOUT, settings.home, os_user=settings.pg_osuser)
    uploads = home / "uploads"
    uploads.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=uploads) as folder:
        path = Path(folder) / safe_name(upload.filename or "")
        with path.open("wb") as file:
            shutil.copyfileobj(upload.file, file)
        yield path


def safe_name(name: str) -> str:
    r"""Return the name of a file without folders and without what no name should hold.

    Examples
    --------
    >>> safe_name("C:\\maps\\小区.geojson"), safe_name("../../etc/passwd"), safe_name("..")
    ('小区.geojson', 'passwd', 'file')
    """
    last = PureWindowsPath(PurePosixPath(name).name).name
    plain = "".join(letter for letter in last if letter.isprintable()).strip(". ")
    path = PurePosixPath(plain or _PLAIN)
    suffix = path.suffix[:10]
    return path.stem[: _LONGEST_NAME - len(suffix)] + suffix


def columns_of(text: str, layer: str) -> Mapping[str, str] | None:
    """Return which column is which field, as somebody wrote it: lines ``field: column``, or JSON.

    Raises
    ------
    InvalidParameterError
        It is neither, or names a field that the layer does not have.
    """
    if not text.strip():
        return None
    rule = f"lines of 'field: column', the fields being {', '.join(fields_of(layer))}"
    try:
        found = load_yaml(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not found:
        raise InvalidParameterError("columns", text[:_LONGEST_NAME], rule)
    for field, column in found.items():
        if field not in fields_of(layer) or not isinstance(column, str):
            raise InvalidParameterError("columns", f"{field}: {column}"[:_LONGEST_NAME], rule)
    return {field: found[field] for field in fields_of(layer) if field in found}

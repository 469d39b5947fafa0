"""Files set apart under plain names, before GDAL sees them: as links, or out of an archive.

GDAL and pyogrio read meaning into names ("!", "|", "?", "/vsi"), and look for what lies beside.
"""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from geodata.errors import FileLimitError, UnreadableFileError
from geodata.files.limits import FileLimits
from geodata.files.texts import unreadable

PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
"""What of a shapefile is read; its indexes and its metadata are not."""

_CHUNK_BYTES = 2**20
_ENCRYPTED = 0x1
_LITTLE_BYTES = 2**20


@contextmanager
def linked(path: Path, *, suffix: str, parts: tuple[str, ...] = ()) -> Iterator[str]:
    """Give a path to a file, in a folder of its own that goes away.

    Parameters
    ----------
    path
        The file.
    suffix
        What the link's name ends in: the file itself may be called anything.
    parts
        Ends of the names of what belongs to it; each is linked too where it is there, with its
        name's end in any case.
    """
    with TemporaryDirectory(prefix="territory-") as folder:
        target = Path(folder) / f"layer{suffix}"
        target.symlink_to(path.resolve())
        for part in parts:
            for name in (path.with_suffix(part), path.with_suffix(part.upper())):
                beside = target.with_suffix(part)
                if name.is_file() and not beside.is_symlink():
                    beside.symlink_to(name.resolve())
        yield str(target)


@contextmanager
def unpacked_shapefile(path: Path, limits: FileLimits) -> Iterator[Path]:
    """Give the ``.shp`` of an archive, with its parts beside it, in a folder that goes away.

    Parameters
    ----------
    path
        The archive. Its own names and folders are not used: parts are called layer.shp and so on.
    limits
        Entries, unpacked size, and ratio; the bytes are counted as they come, since an archive
        can say anything of its sizes.

    Raises
    ------
    UnreadableFileError
        It is no archive, is damaged or encrypted, has not exactly one shapefile, or names that
        lead out of it.
    FileLimitError
        It would unpack to more than is allowed.
    """
    try:
        with zipfile.ZipFile(path) as archive, TemporaryDirectory(prefix="territory-") as folder:
            for part, entry in _parts(path, archive, limits).items():
                _unpack(path, archive, entry, Path(folder) / f"layer{part}", limits)
            yield Path(folder) / "layer.shp"
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        UnicodeDecodeError,
        OSError,
    ) as error:
        raise unreadable(path, "a ZIP archive", error) from error


def _parts(path: Path, archive: zipfile.ZipFile, limits: FileLimits) -> dict[str, zipfile.ZipInfo]:
    """Return the entries of the one shapefile in an archive."""
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(entries) > limits.entries:
        raise FileLimitError(path, f"holds {len(entries):,} files; {limits.entries} are allowed")
    _refuse_bombs(path, entries, limits)
    shapes = []
    for entry in entries:
        name = PurePosixPath(entry.filename.replace("\\", "/"))
        if name.is_absolute() or ".." in name.parts or ":" in name.parts[0]:
            raise UnreadableFileError(path, "holds a name that leads out of the archive.")
        if name.suffix.casefold() == ".zip":
            raise UnreadableFileError(path, "holds another archive: unpack it first.")
        if name.suffix.casefold() == ".shp" and not name.name.startswith("._"):
            shapes.append(entry)
    if len(shapes) != 1:
        raise UnreadableFileError(
            path, f"holds {len(shapes)} shapefiles: an archive of exactly one is read."
        )
    stem = shapes[0].filename[: -len(".shp")].casefold()
    found: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        name_stem, dot, suffix = entry.filename.casefold().rpartition(".")
        if name_stem == stem and dot + suffix in PARTS:
            if entry.flag_bits & _ENCRYPTED:
                raise UnreadableFileError(path, "is encrypted: pack it without a password.")
            found[dot + suffix] = entry
    return found


def _refuse_bombs(path: Path, entries: list[zipfile.ZipInfo], limits: FileLimits) -> None:
    """Refuse an archive that says of itself that it unpacks to too much."""
    unpacked = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    if unpacked > limits.unpacked_bytes:
        raise _too_much(path, limits)
    if unpacked > _LITTLE_BYTES and unpacked > limits.unpacked_ratio * max(packed, 1):
        raise FileLimitError(
            path, f"unpacks to more than {limits.unpacked_ratio} times its size, as a bomb would"
        )


def _unpack(
    path: Path,
    archive: zipfile.ZipFile,
    entry: zipfile.ZipInfo,
    target: Path,
    limits: FileLimits,
) -> None:
    """Write one entry, up to what is allowed."""
    written = 0
    with archive.open(entry) as packed, target.open("wb") as file:
        while chunk := packed.read(_CHUNK_BYTES):
            written += len(chunk)
            if written > limits.unpacked_bytes:
                raise _too_much(path, limits)
            file.write(chunk)


def _too_much(path: Path, limits: FileLimits) -> FileLimitError:
    return FileLimitError(
        path, f"unpacks to more than {limits.unpacked_bytes // 2**20:,} MiB, which is refused"
    )

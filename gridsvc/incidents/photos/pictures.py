"""From whatever a phone sends to a small JPEG without metadata; and mosaic over parts of one.

References
----------
.. [1] OWASP File Upload Cheat Sheet: check the content, write the image anew.
.. [2] ISO/IEC 10918-1 (JPEG), section B.2.3: each scan begins with the marker FF DA.
"""

import hashlib
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import BoundedSemaphore

from PIL import Image, ImageFilter, ImageOps

from gridsvc.errors import PhotoRefusedError, PhotosBusyError
from gridsvc.incidents.photos.model import Picture, Rectangle

MAX_BYTES = 12_000_000
MAX_PIXELS = 50_000_000
LONGEST_SIDE_PX = 1600
THUMBNAIL_PX = 320
_FORMATS = ("JPEG", "PNG", "WEBP")
# Phones write some ten; thousands over a large picture would keep a core busy for minutes.
_MOST_SCANS = 100
_HEIC_BRANDS = {b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis"}
_QUALITY, _THUMBNAIL_QUALITY = 82, 75
_CELLS = 5
"""A blurred part keeps so many cells of colour a side: no letter of a plate, no eye of a face."""

# One picture of 50 million pixels takes 200 MB while it is read.
_slots = BoundedSemaphore(2)
_LONGEST_WAIT_S = 10.0


def prepare(source: bytes) -> Picture:
    """Return a photo as it is kept: upright, at most 1,600 px, JPEG, without its metadata.

    Parameters
    ----------
    source
        JPEG, PNG or WebP, whatever it is called.

    Raises
    ------
    PhotoRefusedError
        It is none of these, or broken, or too large.
    PhotosBusyError
        Too many are being read already.
    """
    _require_photo(source)
    with _slot():
        image = _shrink(_read(source))
        return _picture(image, hashlib.sha256(source).digest())


def blur(image: bytes, rectangles: Sequence[Rectangle]) -> Picture:
    """Return a kept photo with mosaic over rectangles, from which nothing can be restored.

    Parameters
    ----------
    image
        A JPEG of `prepare`.
    rectangles
        Those that are empty, or lie outside, do nothing.
    """
    with _slot(), Image.open(io.BytesIO(image), formats=("JPEG",)) as opened:
        made = opened.convert("RGB")
        for rectangle in rectangles:
            _cover(made, rectangle)
        return _picture(made, b"")


def _cover(image: Image.Image, rectangle: Rectangle) -> None:
    box = (
        max(0, round(rectangle.left * image.width)),
        max(0, round(rectangle.top * image.height)),
        min(image.width, round((rectangle.left + rectangle.width) * image.width)),
        min(image.height, round((rectangle.top + rectangle.height) * image.height)),
    )
    width, height = box[2] - box[0], box[3] - box[1]
    if width <= 0 or height <= 0:
        return
    cells = (min(_CELLS, width), min(_CELLS, height))
    coarse = image.crop(box).resize(cells, Image.Resampling.BOX)
    covered = coarse.resize((width, height), Image.Resampling.NEAREST)
    soft = covered.filter(ImageFilter.GaussianBlur(max(1, min(width, height) // (2 * _CELLS))))
    image.paste(soft, box[:2])


def _require_photo(source: bytes) -> None:
    if not source:
        raise PhotoRefusedError("empty", "the file is empty")
    if len(source) > MAX_BYTES:
        words = f"it has {len(source)} bytes, more than {MAX_BYTES}"
        raise PhotoRefusedError("too-large", words)
    if source[4:8] == b"ftyp" and source[8:12] in _HEIC_BRANDS:
        words = "HEIC and AVIF cannot be read here; send it as JPEG, PNG or WebP"
        raise PhotoRefusedError("heic", words)
    if source.startswith(b"\xff\xd8") and source.count(b"\xff\xda") > _MOST_SCANS:
        raise PhotoRefusedError("broken", "it has more scans than any camera writes")


def _read(source: bytes) -> Image.Image:
    """Return the picture, read no larger than it will be needed where its format allows that."""
    try:
        opened = Image.open(io.BytesIO(source), formats=_FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels() from error
    except Exception as error:  # any of Pillow's readers may stumble over any bytes
        words = "it is neither JPEG nor PNG nor WebP"
        raise PhotoRefusedError("not-an-image", words) from error
    with opened:
        if opened.width * opened.height > MAX_PIXELS:
            raise _too_many_pixels()
        try:
            share = LONGEST_SIDE_PX / max(opened.size)
            opened.draft("RGB", (int(opened.width * share), int(opened.height * share)))
            upright = ImageOps.exif_transpose(opened)
            return _flat(upright)
        except Exception as error:
            raise PhotoRefusedError("broken", "the file is broken or cut off") from error


def _too_many_pixels() -> PhotoRefusedError:
    words = f"it has more than {MAX_PIXELS // 1_000_000} million pixels"
    return PhotoRefusedError("too-many-pixels", words)


def _flat(image: Image.Image) -> Image.Image:
    """Return the pixels alone on white paper: a new image has no metadata to take along."""
    made = Image.new("RGB", image.size, "white")
    if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        layer = image.convert("RGBA")
        made.paste(layer, mask=layer.getchannel("A"))
    else:
        made.paste(image.convert("RGB"))
    return made


def _shrink(image: Image.Image) -> Image.Image:
    image.thumbnail((LONGEST_SIDE_PX, LONGEST_SIDE_PX), Image.Resampling.LANCZOS)
    return image


def _picture(image: Image.Image, source_hash: bytes) -> Picture:
    small = image.copy()
    small.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX), Image.Resampling.LANCZOS)
    return Picture(
        _encode(image, _QUALITY),
        _encode(small, _THUMBNAIL_QUALITY),
        image.width,
        image.height,
        source_hash,
    )


def _encode(image: Image.Image, quality: int) -> bytes:
    target = io.BytesIO()
    image.save(target, "JPEG", quality=quality, optimize=True, progressive=True)
    return target.getvalue()


@contextmanager
def _slot() -> Iterator[None]:
    """Hold one of the few places in which pictures are read."""
    if not _slots.acquire(timeout=_LONGEST_WAIT_S):
        raise PhotosBusyError
    try:
        yield
    finally:
        _slots.release()

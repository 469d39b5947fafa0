"""Pictures that tests send: of cameras, and of people who mean no good."""

import io
from typing import Any

from PIL import Image

ORIENTATION, GPS, MAKER = 0x0112, 0x8825, 0x010F
LATITUDE, LATITUDE_SIDE, LONGITUDE, LONGITUDE_SIDE = 2, 1, 4, 3


def picture(size: tuple[int, int] = (400, 300)) -> Image.Image:
    """Return a picture that is red on the left and blue on the right."""
    made = Image.new("RGB", size, (20, 40, 200))
    made.paste((200, 30, 30), (0, 0, size[0] // 2, size[1]))
    return made


def encoded(image: Image.Image, form: str = "JPEG", **options: Any) -> bytes:
    target = io.BytesIO()
    image.save(target, form, **options)
    return target.getvalue()


def photo(size: tuple[int, int] = (400, 300), *, orientation: int = 1) -> bytes:
    """Return a JPEG as a phone makes it: with its position, its maker and a comment."""
    exif = Image.Exif()
    exif[MAKER] = "ACME phone"
    exif[ORIENTATION] = orientation
    exif[GPS] = {
        LATITUDE_SIDE: "N",
        LATITUDE: (23.0, 2.0, 5.0),
        LONGITUDE_SIDE: "E",
        LONGITUDE: (113.0, 9.0, 1.0),
    }
    return encoded(picture(size), exif=exif, comment=b"taken at home", quality=90)

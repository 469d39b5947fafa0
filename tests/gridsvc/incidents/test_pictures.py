"""Photos are read whatever they are called, and kept small, upright and bare."""

import io
import struct
import zlib

import pytest
from PIL import Image

from gridsvc.errors import PhotoRefusedError
from gridsvc.incidents.photos import pictures
from gridsvc.incidents.photos.model import Rectangle
from tests.gridsvc.incidents.pictures import GPS, encoded, photo, picture


def opened(image: bytes) -> Image.Image:
    return Image.open(io.BytesIO(image))


def is_red(pixel: object) -> bool:
    assert isinstance(pixel, tuple)
    return bool(pixel[0] > 150 and pixel[2] < 100)


def fault_of(source: bytes) -> str:
    with pytest.raises(PhotoRefusedError) as caught:
        pictures.prepare(source)
    return caught.value.fault


def test_position_maker_and_comment_are_gone() -> None:
    sent = photo()
    assert GPS in opened(sent).getexif()
    kept = pictures.prepare(sent)
    for image in (kept.image, kept.thumbnail):
        found = opened(image)
        assert found.format == "JPEG"
        assert dict(found.getexif()) == {}
        assert set(found.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"} | {
            "progressive",
            "progression",
        }
        for told in (b"Exif", b"ACME", b"taken at home", b"http://ns.adobe.com/xap"):
            assert told not in image


def test_the_metadata_of_png_and_webp_goes_as_well() -> None:
    exif = Image.Exif()
    exif[GPS] = {1: "N", 2: (23.0, 2.0, 5.0)}
    for form in ("PNG", "WEBP"):
        sent = encoded(picture(), form, exif=exif)
        assert GPS in opened(sent).getexif()
        assert dict(opened(pictures.prepare(sent).image).getexif()) == {}


def test_a_photo_taken_upside_down_stands_upright() -> None:
    assert is_red(opened(pictures.prepare(photo()).image).getpixel((20, 150)))
    turned = opened(pictures.prepare(photo(orientation=3)).image)
    assert not is_red(turned.getpixel((20, 150)))
    assert is_red(turned.getpixel((380, 150)))
    on_its_side = pictures.prepare(photo(orientation=6))
    assert (on_its_side.width_px, on_its_side.height_px) == (300, 400)


def test_a_large_photo_becomes_small_and_a_small_one_stays() -> None:
    large = pictures.prepare(photo((4000, 3000)))
    assert (large.width_px, large.height_px) == (1600, 1200)
    assert opened(large.thumbnail).size == (320, 240)
    small = pictures.prepare(photo((40, 30)))
    assert (small.width_px, small.height_px) == (40, 30)


def test_what_is_transparent_turns_white_and_grey_and_print_colours_are_read() -> None:
    clear = Image.new("RGBA", (40, 30), (0, 0, 0, 0))
    assert opened(pictures.prepare(encoded(clear, "PNG")).image).getpixel((9, 9)) == (255, 255, 255)
    for mode in ("L", "P", "1", "I;16"):
        assert pictures.prepare(encoded(Image.new(mode, (40, 30)), "PNG")).width_px == 40
    assert pictures.prepare(encoded(Image.new("CMYK", (40, 30)))).width_px == 40


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        (b"", "empty"),
        (b"<script>alert(1)</script>", "not-an-image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not-an-image"),
        (b"GIF89a" + b"\0" * 100, "not-an-image"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 100, "not-an-image"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "heic"),
        (photo()[:3000], "broken"),
        (b"\0" * (pictures.MAX_BYTES + 1), "too-large"),
        (b"\xff\xd8" + b"\xff\xda" * 101, "broken"),
    ],
)
def test_what_is_no_photo_is_refused_in_a_word(source: bytes, fault: str) -> None:
    assert fault_of(source) == fault


def bomb(side_px: int) -> bytes:
    """Return a PNG of a few hundred bytes that says it has so many pixels a side."""

    def chunk(name: bytes, body: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + body))
        return struct.pack(">I", len(body)) + name + body + check

    head = struct.pack(">IIBBBBB", side_px, side_px, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 1000)
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", body), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize("side_px", [7_100, 12_000, 60_000])
def test_a_picture_of_too_many_pixels_is_not_even_read(side_px: int) -> None:
    assert fault_of(bomb(side_px)) == "too-many-pixels"


def test_a_page_that_begins_like_a_picture_is_written_anew() -> None:
    hidden = photo() + b"<script>alert(1)</script>"
    assert b"script" not in pictures.prepare(hidden).image


def test_the_same_bytes_have_the_same_hash_and_others_another() -> None:
    first, again, other = (pictures.prepare(photo((40 + n, 30))) for n in (0, 0, 1))
    assert first.source_hash == again.source_hash != other.source_hash


def test_a_blurred_part_holds_no_line_of_what_was_there_and_the_rest_is_as_it_was() -> None:
    striped = Image.new("RGB", (400, 400), "white")
    for left in range(0, 400, 8):
        striped.paste("black", (left, 0, left + 4, 400))
    kept = pictures.prepare(encoded(striped, quality=95))
    made = opened(pictures.blur(kept.image, [Rectangle(0.25, 0.25, 0.5, 0.5)]).image).convert("L")
    row = [made.getpixel((x, 200)) for x in range(400)]
    inside, outside = row[110:290], row[0:90]
    assert max(inside) - min(inside) < 30  # type: ignore[type-var, operator]
    assert max(outside) - min(outside) > 150  # type: ignore[type-var, operator]


def test_rectangles_outside_or_empty_do_nothing() -> None:
    kept = pictures.prepare(photo())
    nothing = [Rectangle(2.0, 2.0, 1.0, 1.0), Rectangle(0.5, 0.5, 0.0, 0.1)]
    assert pictures.blur(kept.image, nothing).image == pictures.blur(kept.image, []).image

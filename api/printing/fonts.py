"""The fonts of printed documents: our own files, so that a page looks the same on every machine.

Noto Sans SC (SIL Open Font License 1.1) comes as a pinned npm package beside the scripts of the
maps. It draws the whole basic block of ideographs, extension A and 220 rarer ones of names and
places; what it lacks, emoji for instance, comes out as an empty box.
"""

from functools import cache
from pathlib import Path

import typst

import maps
from maps.errors import MissingAssetError

FAMILY = "Noto Sans SC"
_PACKAGE = "assets/node_modules/@expo-google-fonts/noto-sans-sc"
# Two of nine weights: each costs 10 MB of address space, and a page has two.
_FILES = ("400Regular/NotoSansSC_400Regular.ttf", "700Bold/NotoSansSC_700Bold.ttf")


def font_files() -> list[Path]:
    """Return the font files, lightest first.

    Raises
    ------
    MissingAssetError
        A file is not installed.
    """
    files = [Path(maps.__file__).parent / _PACKAGE / name for name in _FILES]
    for path in files:
        if not path.is_file():
            # typst would print empty pages without a word.
            raise MissingAssetError(path.name, path)
    return files


@cache
def load_fonts() -> typst.Fonts:
    """Return the fonts for typst: ours, none of the system's and none that typst brings.

    Raises
    ------
    MissingAssetError
        A file is not installed.
    """
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[path.parent for path in font_files()],
    )

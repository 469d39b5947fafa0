"""Text of addresses made comparable: widths, dashes, old characters, blanks."""

import re
import unicodedata

from geodata.addresses.numerals import CHINESE_DIGITS, NUMERAL, SPELLED_OUT, canonical

_NONE_WORDS = frozenset(
    (
        "",
        "无",
        "没有",
        "空",
        "暂无",
        "不详",
        "未知",
        "无单元",
        "无楼栋",
        "n/a",
        "na",
        "none",
        "null",
    )
)
_DASHES = re.compile(r"[‐‑‒–—―−﹣~∼〜]+")
_OLD = str.maketrans("樓號單層棟門園區廣華灣東國際麗龍鳳", "楼号单层栋门园区广华湾东国际丽龙凤")
_WORDS = "栋幢座号楼单元梯门室房层#"
_NAME_SIGNS = rf"0-9A-Z{CHINESE_DIGITS}甲乙丙丁戊己庚辛壬癸"
_UNTIL = re.compile(rf"(?<=[{_NAME_SIGNS}{_WORDS}])\s*[至到]\s*(?=第?[{_NAME_SIGNS}])")
_BEFORE_WORD = re.compile(rf"(?<=[{_NAME_SIGNS}{_WORDS}])\s+(?=[{_WORDS}])")
_ROUND_DASH = re.compile(r"\s*-+\s*")
_MARK = r"[号名称]*\s*[:=]\s*"
_LABELS = tuple(
    (re.compile(pattern), spelling)
    for pattern, spelling in (
        (
            rf"(?:楼栋|[栋楼幢座]号|楼宇){_MARK}([{_NAME_SIGNS}]+)(?![栋幢座号楼#\w])",
            r"\1栋 ",
        ),
        (rf"(?:单元|梯号|梯位|楼道){_MARK}([{_NAME_SIGNS}]+)(?![单梯门\w])", r"\1单元 "),
        (rf"(?:室号|房号|房间号?|房屋号){_MARK}([0-9A-Z-]+)(?![室房\w])", r"\1室 "),
        (rf"(?:小区|楼盘|地址|住址|楼栋|楼号|单元|室号|房号){_MARK}", " "),
    )
)
_PUNCTUATION = re.compile(r"[\s()\[\]{}<>《》【】「」“”‘’\"'·•・.,;:、。!?|_/\\-]+")


def is_none_word(text: str) -> bool:
    """Return whether a cell says that there is nothing: 无, —, / and the like.

    Examples
    --------
    >>> [is_none_word(text) for text in ("无", "——", "/", " ", "2")]
    [True, True, True, True, False]
    """
    plain = unicodedata.normalize("NFKC", text).strip().casefold()
    return plain in _NONE_WORDS or not re.search(r"\w", plain)


def clean(text: str) -> str:
    """Return an address in one width, case and kind of dash, blanks only where they part."""
    plain = unicodedata.normalize("NFKC", text).translate(_OLD).upper()
    plain = re.sub(r"[\s\u200b\ufeff]+", " ", plain).strip()
    plain = _ROUND_DASH.sub("-", _DASHES.sub("-", plain))
    for label, spelling in _LABELS:
        plain = label.sub(spelling, plain)
    plain = re.sub(rf"第\s*(?=[{_NAME_SIGNS}])", "第", plain)
    return _UNTIL.sub("-", _BEFORE_WORD.sub("", plain)).strip()


def normalise_name(name: str) -> str:
    """Return what the spellings of one compound's name have in common.

    Width, case, blanks, punctuation, old characters, and whether numbers are Chinese numerals or
    digits make no difference.

    Examples
    --------
    >>> normalise_name("滨江一号（二期）"), normalise_name("濱江 1号・2期")[1:]
    ('滨江1号2期', '江1号2期')
    """
    plain = _DASHES.sub("-", unicodedata.normalize("NFKC", name)).translate(_OLD).upper()
    bare = _PUNCTUATION.sub("", plain)
    spelled = re.sub(rf"{SPELLED_OUT}|{NUMERAL}|\d+", lambda found: canonical(found[0]), bare)
    return unicodedata.normalize("NFKC", spelled)

"""How the parts of an address look: the words of buildings, stairwells, rooms, streets."""

import re

from geodata.addresses.numerals import DIRECTIONS, NAME, SPELLED_OUT

BETWEEN = r"\s?[、,;/&和及与]\s?"
BUILDING_WORD = r"(?:号大?楼|#大?楼|号[栋幢座]|楼栋|[栋幢座]楼?|#)"
STAIRWELL_WORD = r"(?:号?单元|号?梯间|号?楼道|号?梯(?!田)|号?门洞|号?门(?![牌面口卫诊市前]))"
ROOM = r"(?:[A-Z]{1,2}-?)?\d{1,2}[A-Z]?\d{0,3}[A-Z]?(?:-\d{1,4})?"
BARE_ROOM = r"(?:[A-Z]{1,2}-?)?(?:\d{3,4}|\d{1,2}[A-Z]\d{2})[A-Z]?(?:-\d{1,2})?"
SHORT = r"(?:[A-Z]?\d{1,2}|[A-Z])"
TAKEN = "|"
"""Stands in a text where a part was taken out."""

_AFTER_TAKEN = r"(?<=\|)[\s,、;-]*"
_CHINESE = "[一-龥]"
_ROOM_ENDS = r"(?![\dA-Z栋幢座单梯门楼-])"

AREA = re.compile(
    rf"(?:{_CHINESE}{{2,3}}省[\s,]?)?(?:{_CHINESE}{{2,4}}市[\s,]?)?"
    rf"(?:{_CHINESE}{{1,3}}(?<![小园社东西南北A-Z])[区县][\s,]?(?={_CHINESE}{{2}}))?"
    rf"(?:{_CHINESE}{{2,4}}(?:街道|镇)(?:办事处)?[\s,]?)?"
    rf"(?:{_CHINESE}{{2,6}}(?:社区|村)(?:居委会|村委会|居民委员会)[\s,]?"
    rf"|{_CHINESE}{{2,6}}社区[\s,]?(?={_CHINESE}{{2}}))?"
)
AREA_END = re.compile(rf"[\s,]*(?:{_CHINESE}|[A-Z])")
ONLY_NAMES_LEFT = re.compile(r"\W*第?[一二三四五六七八九十A-Z]{1,2}[栋幢座号]")
_ENDINGS = ("花园", "小区", "新村", "家园", "大厦", "公寓", "名苑", "雅苑", "豪庭", "华庭", "广场")
_ORDINALS = r"[一二三四五六七八九十\d]"
STREET = re.compile(
    rf"(?:^|(?<=[\s,;|])|{'|'.join(f'(?<={word})' for word in _ENDINGS)})"
    rf"(?P<road>(?:(?!{'|'.join(_ENDINGS)}){_CHINESE}){{1,6}}?"
    r"(?:大道|大街|路|街|巷|胡同)(?:[东南西北中](?=\d))?"
    rf"(?:{_ORDINALS}{{1,3}}[巷弄街路里])*(?:\d{{1,4}}弄)?)"
    rf"(?P<number>\d{{1,4}}(?:-\d{{1,4}})?号(?![楼栋幢座梯门单室房])(?:之(?:[一二三四五六七八九十]{{1,2}}|\d{{1,2}}(?!\d)))?)?"
)


def listed(extra: str = "") -> str:
    """Return the pattern of names in a row: 1、3-5."""
    name = rf"(?:{NAME}{f'|[{extra}]' if extra else ''})"
    item = rf"第?{name}(?:(?:{BUILDING_WORD}|{STAIRWELL_WORD})?-第?{name})?"
    return rf"{item}(?:(?:{BUILDING_WORD}|{STAIRWELL_WORD})?{BETWEEN}{item})*"


BUILDINGS = re.compile(rf"({listed(DIRECTIONS)}){BUILDING_WORD}")
STAIRWELLS = re.compile(rf"({listed(DIRECTIONS)}){STAIRWELL_WORD}")
LISTED = re.compile(listed(DIRECTIONS))
PAIR = re.compile(rf"({NAME})-({NAME})")
LISTED_WORDS = re.compile(rf"{BUILDING_WORD}|{STAIRWELL_WORD}|第")
STOREY = re.compile(rf"第?(?P<name>{NAME})(?P<word>楼|层)")
_ROOMS = rf"(?:\d{{3,4}}[、,/和&])*{ROOM}"
ROOM_ALONE = re.compile(rf"(?P<room>{_ROOMS})号?(?:室|房)?")
ROOM_BY_WORD = re.compile(rf"(?<![\dA-Z])(?P<room>{_ROOMS}|{SPELLED_OUT})号?(?:室|房(?!屋))")
ROOM_BY_NUMBER = re.compile(rf"(?<=[|\s-])(?P<room>{ROOM})号")
HOUSE_NUMBER = re.compile(r"(?<![\dA-Z-])(?P<name>\d{1,3}[A-Z]?)号(?![一-龥])")
BEFORE_ROOM = re.compile(rf"(?<![A-Z\d]){SHORT}-$")
TWO = re.compile(rf"(?<![\dA-Z-])({SHORT})[-/]({BARE_ROOM}){_ROOM_ENDS}")
THREE = re.compile(rf"(?<![\dA-Z-])({SHORT})[-/ ]({SHORT})[-/ ]({BARE_ROOM}){_ROOM_ENDS}")
TWO_BEHIND = re.compile(rf"{_AFTER_TAKEN}({SHORT})[-/ ]({BARE_ROOM}){_ROOM_ENDS}")
ROOM_BEHIND = re.compile(rf"{_AFTER_TAKEN}(?P<room>{BARE_ROOM}){_ROOM_ENDS}")
BRACKETS = re.compile(r"[(\[{【]([^()\[\]{}【】]*)[)\]}】]")
PHASE = re.compile(rf"第?(?:{NAME})期|[A-Z东南西北中][区苑]|[A-Z]")
PART = re.compile(rf"{NAME}(?:{BUILDING_WORD}|{STAIRWELL_WORD}|楼|室|房|号)|^{ROOM}$")
PLACE_WORD = re.compile(r"[\s,]*(?:大院|院内?|宿舍|小区)")
TWO_CHINESE = re.compile(rf"[\s,]*{_CHINESE}{{2}}")
DASHED_END = re.compile(r"[A-Z\d]+(?:-[A-Z\d]+)+[栋幢座楼]?$")
COMPOUND = re.compile(rf"{_CHINESE}{{2}}|{_CHINESE}[A-Z\d]|[A-Z]{{3}}|[A-Z\d]{_CHINESE}")

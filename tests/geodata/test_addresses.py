"""Addresses as offices write them, in as many spellings as we have met."""

import dataclasses
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.addresses import Address, is_none_word, normalise_name, parse_address, parse_parts
from geodata.addresses.numerals import canonical, chinese_number, expand

ONE_TO_TEN = tuple(str(number) for number in range(1, 11))


def address(**parts: object) -> Address:
    """Return an address whose names of buildings and stairwells may be given as one text."""
    for name in ("buildings", "stairwells"):
        if isinstance(parts.get(name), str):
            parts[name] = (parts[name],)
    return dataclasses.replace(Address(), **parts)  # type: ignore[arg-type]


BLOCK = {"compound": "翠湖花园", "buildings": "3", "stairwells": "2"}
HOME = BLOCK | {"room": "302"}

SPELLINGS: dict[str, Address] = {
    # one home, in words
    "翠湖花园3栋2单元302室": address(**HOME),
    "翠湖花园3栋2单元302": address(**HOME),
    "翠湖花园3幢2单元302房": address(**HOME),
    "翠湖花园3座2梯302": address(**HOME),
    "翠湖花园3号楼2单元302号": address(**HOME),
    "翠湖花园3号楼2单元302号房": address(**HOME),
    "翠湖花园第3栋第2单元302室": address(**HOME),
    "翠湖花园三栋二单元三〇二室": address(**HOME),
    "翠湖花园三号楼二单元302": address(**HOME),
    "翠湖花园３栋２单元３０２室": address(**HOME),
    "翠湖花园03栋02单元0302室": address(**HOME),
    "翠湖花园 3栋 2单元 302室": address(**HOME),
    "翠湖花园 3 栋 2 单元 302 室": address(**HOME),
    "翠湖花園3棟2單元302室": address(**HOME),
    "翠湖花园3栋2门302": address(**HOME),
    "翠湖花园3栋2号门302": address(**HOME),
    "翠湖花园3栋2楼道302": address(**HOME),
    "翠湖花园3栋2梯间302": address(**HOME),
    "翠湖花园3#楼2单元302": address(**HOME),
    "翠湖花园3＃2单元302": address(**HOME),
    "翠湖花园3楼2单元302": address(**HOME),
    "翠湖花园,3栋,2单元,302室": address(**HOME),
    "翠湖花园、3栋、2单元、302": address(**HOME),
    "翠湖花园3栋-2单元-302室": address(**HOME),
    "翠湖花园（3栋）2单元302": address(**HOME),
    "翠湖花园【3栋2单元302】": address(**HOME),
    # one home, dense
    "翠湖花园3-2-302": address(**HOME),
    "翠湖花园3—2—302": address(**HOME),
    "翠湖花园3/2/302": address(**HOME),
    "翠湖花园 3 2 302": address(**HOME),
    "翠湖花园3-2-302室": address(**HOME),
    "翠湖花园3栋2-302": address(**HOME),
    "翠湖花园3栋2-302室": address(**HOME),
    "翠湖花园3#2-302": address(**HOME),
    "翠湖花园3-2单元302": address(**HOME),
    # one home, in another order
    "302室 2单元 3栋 翠湖花园": address(**HOME),
    "3栋2单元302室翠湖花园": address(**HOME),
    "2单元302室，3栋，翠湖花园": address(**HOME),
    "楼栋：3 单元：2 房号：302 小区：翠湖花园": address(**HOME),
    # area, street, lane
    "佛山市南海区桂城街道翠湖花园3栋": address(
        area="佛山市南海区桂城街道", compound="翠湖花园", buildings="3"
    ),
    "广东省佛山市南海区桂城街道桂园社区翠湖花园3栋": address(
        area="广东省佛山市南海区桂城街道桂园社区", compound="翠湖花园", buildings="3"
    ),
    "江滨社区居委会江南花园7幢1梯501房": address(
        area="江滨社区居委会", compound="江南花园", buildings="7", stairwells="1", room="501"
    ),
    "桂园路12号": address(street="桂园路12号"),
    "桂园路12号302": address(street="桂园路12号", room="302"),
    "桂园路12号之一302室": address(street="桂园路12号之一", room="302"),
    "桂园路12号3栋302": address(street="桂园路12号", buildings="3", room="302"),
    "桂园路12号翠湖花园3栋": address(street="桂园路12号", compound="翠湖花园", buildings="3"),
    "翠湖花园桂园路12号3栋": address(street="桂园路12号", compound="翠湖花园", buildings="3"),
    "桂园路12号3楼": address(street="桂园路12号", floor="3"),
    "新城一街三巷5号": address(street="新城一街三巷5号"),
    "浦东路100弄12号302室": address(street="浦东路100弄12号", room="302"),
    "桂园路12号大院3栋": address(compound="桂园路12号大院", buildings="3"),
    "桂园社区3栋": address(compound="桂园社区", buildings="3"),
    "翠湖花园12号302室": address(compound="翠湖花园", buildings="12", room="302", is_numbered=True),
    # names of buildings
    "翠湖花园A座1203": address(compound="翠湖花园", buildings="A", room="1203"),
    "翠湖花园Ａ座": address(compound="翠湖花园", buildings="A"),
    "翠湖花园a1栋": address(compound="翠湖花园", buildings="A1"),
    "翠湖花园A-1栋": address(compound="翠湖花园", buildings="A1"),
    "翠湖花园12B栋": address(compound="翠湖花园", buildings="12B"),
    "国际公馆T2座1901": address(compound="国际公馆", buildings="T2", room="1901"),
    "翠湖花园甲栋": address(compound="翠湖花园", buildings="甲"),
    "翠湖花园东座302": address(compound="翠湖花园", buildings="东", room="302"),
    "翠湖花园二十三栋": address(compound="翠湖花园", buildings="23"),
    "翠湖花园一百零五幢": address(compound="翠湖花园", buildings="105"),
    "翠湖花园10-1栋": address(compound="翠湖花园", buildings="10-1"),
    # ranges and lists
    "翠湖花园1-10幢": address(compound="翠湖花园", buildings=ONE_TO_TEN),
    "翠湖花园1至10幢": address(compound="翠湖花园", buildings=ONE_TO_TEN),
    "翠湖花园1～10幢": address(compound="翠湖花园", buildings=ONE_TO_TEN),
    "翠湖花园一至十幢": address(compound="翠湖花园", buildings=ONE_TO_TEN),
    "翠湖花园1栋-10栋": address(compound="翠湖花园", buildings=ONE_TO_TEN),
    "翠湖花园第1栋到第10栋": address(compound="翠湖花园", buildings=ONE_TO_TEN),
    "翠湖花园1-5;7-10栋": address(
        compound="翠湖花园", buildings=tuple(name for name in ONE_TO_TEN if name != "6")
    ),
    "翠湖花园1、3、5栋": address(compound="翠湖花园", buildings=("1", "3", "5")),
    "翠湖花园1栋、3栋和5栋": address(compound="翠湖花园", buildings=("1", "3", "5")),
    "翠湖花园1,3,5栋": address(compound="翠湖花园", buildings=("1", "3", "5")),
    "翠湖花园A-C座": address(compound="翠湖花园", buildings=("A", "B", "C")),
    "翠湖花园B1-B3栋": address(compound="翠湖花园", buildings=("B1", "B2", "B3")),
    "翠湖花园3栋1-3单元": address(compound="翠湖花园", buildings="3", stairwells=("1", "2", "3")),
    # stairwells and rooms
    "翠湖花园3栋A梯302": address(compound="翠湖花园", buildings="3", stairwells="A", room="302"),
    "翠湖花园12号楼东单元302": address(
        compound="翠湖花园", buildings="12", stairwells="东", room="302"
    ),
    "翠湖花园3栋302-1": address(compound="翠湖花园", buildings="3", room="302-1"),
    "翠湖花园3栋A302": address(compound="翠湖花园", buildings="3", room="A302"),
    "翠湖花园3栋3A02室": address(compound="翠湖花园", buildings="3", room="3A02"),
    "翠湖花园3栋302-304室": address(compound="翠湖花园", buildings="3", room="302-304"),
    "翠湖花园3栋3楼302": address(compound="翠湖花园", buildings="3", floor="3", room="302"),
    "翠湖花园3栋3楼2室": address(compound="翠湖花园", buildings="3", floor="3", room="302"),
    "翠湖花园2单元3楼302": address(compound="翠湖花园", stairwells="2", floor="3", room="302"),
    "翠湖花园3楼302": address(compound="翠湖花园", floor="3", room="302"),
    "翠湖花园5楼302": address(compound="翠湖花园", buildings="5", room="302"),
    "翠湖花园3-302": address(compound="翠湖花园", buildings="3", room="302"),
    # compounds whose names hold numbers
    "滨江一号3栋302": address(compound="滨江一号", buildings="3", room="302"),
    "滨江1号3栋302": address(compound="滨江1号", buildings="3", room="302"),
    "滨江一号十栋": address(compound="滨江一号", buildings="10"),
    "桂园三村五栋": address(compound="桂园三村", buildings="5"),
    "八一小区3栋": address(compound="八一小区", buildings="3"),
    "翠湖花园二期12栋": address(compound="翠湖花园二期", buildings="12"),
    "翠湖花园(二期)3栋": address(compound="翠湖花园二期", buildings="3"),
    "翠湖B区3栋": address(compound="翠湖B区", buildings="3"),
    "阳光东区3栋": address(compound="阳光东区", buildings="3"),
    "1号公馆3栋": address(compound="1号公馆", buildings="3"),
    "翠湖SOHO3栋": address(compound="翠湖SOHO", buildings="3"),
    "金街3栋": address(compound="金街", buildings="3"),
    # nothing, and what is not understood
    "无": Address(),
    "——": Address(),
    "/": Address(),
    "　": Address(),
    "翠湖花园3-2": address(compound="翠湖花园", rest="3-2"),
    "翠湖花园1-2单元": address(compound="翠湖花园", rest="1-2单元"),
    "翠湖花园1-9999栋": address(compound="翠湖花园", rest="1-9999栋"),
    "翠湖花园3栋2单元302室(出租)": address(**HOME, rest="出租"),
    "翠湖花园3栋A-3座": address(compound="翠湖花园", buildings=("3", "A3")),
}


def test_the_table_has_many_spellings() -> None:
    assert len(SPELLINGS) >= 80


@pytest.mark.parametrize(("text", "parts"), SPELLINGS.items(), ids=list(SPELLINGS))
def test_an_address_is_parted(text: str, parts: Address) -> None:
    assert parse_address(text) == parts


# ---- properties


COMPOUNDS = st.sampled_from(
    [
        "翠湖花园",
        "滨江一号",
        "金色家园二期",
        "八一小区",
        "桂园三村",
        "南海颐景园",
        "新都市花园",
        "雍景名轩",
    ]
)
CHINESE = "零一二三四五六七八九"


def numeral(number: int) -> str:
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else "十" if tens == 1 else f"{CHINESE[tens]}十"
    return head + (CHINESE[ones] if ones else "")


def written(draw: st.DrawFn, name: str) -> str:
    """Write a name of a building or stairwell in any way."""
    ways = [name, name.translate(str.maketrans("0123456789", "０１２３４５６７８９")), f"第{name}"]
    if name.isdigit():
        ways += [numeral(int(name)), f"{int(name):02d}"]
    return draw(st.sampled_from(ways))


NAMES = st.one_of(st.integers(1, 60).map(str), st.sampled_from("ABCDEF"))
ROOMS = st.builds(lambda floor, flat: f"{floor}0{flat}", st.integers(1, 33), st.integers(1, 8))


@st.composite
def homes(draw: st.DrawFn) -> tuple[str, Address]:
    """Make an address and one of its spellings."""
    parts = {
        "compound": draw(COMPOUNDS),
        "buildings": draw(NAMES),
        "stairwells": draw(st.one_of(st.just(""), NAMES)),
        "room": draw(ROOMS),
    }
    gap = draw(st.sampled_from(["", " ", "　", ",", "，", "-"]))
    building_word = draw(st.sampled_from(["栋", "幢", "座", "号楼", "#楼"]))
    building = written(draw, parts["buildings"]) + building_word
    stairwell = ""
    if parts["stairwells"]:
        word = draw(st.sampled_from(["单元", "梯", "门", "号门", "楼道"]))
        stairwell = written(draw, parts["stairwells"]) + word
    room = parts["room"] + draw(st.sampled_from(["", "室", "房", "号房"]))
    pieces = [one for one in (building, stairwell, room) if one]
    start = draw(st.sampled_from(["", " ", "，"]))
    text = parts["compound"] + start + gap.join(pieces)
    found = address(**{name: part for name, part in parts.items() if part})
    return text, found


@given(home=homes())
@settings(max_examples=150, deadline=None)
def test_any_supported_spelling_gives_the_parts_back(home: tuple[str, Address]) -> None:
    text, parts = home
    read = parse_address(text)
    # 新都市花园 begins like a city; matching puts the two together again.
    whole = read.area + read.compound
    assert dataclasses.replace(read, area="", compound=whole) == parts


@given(first=st.integers(1, 150), many=st.integers(1, 40))
@settings(max_examples=60, deadline=None)
def test_a_range_has_every_building_from_first_to_last(first: int, many: int) -> None:
    read = parse_address(f"翠湖花园{first}-{first + many}栋")
    assert read.buildings == tuple(str(number) for number in range(first, first + many + 1))


@given(number=st.integers(1, 99))
def test_chinese_numerals_are_read_back(number: int) -> None:
    assert chinese_number(numeral(number)) == number


@given(
    text=st.text(max_size=60)
    | st.text(alphabet="一二十百A1-、;,栋座楼号单元室房()第|# 路街区市", max_size=120)
)
@settings(max_examples=300, deadline=None)
def test_any_text_at_all_has_an_answer(text: str) -> None:
    read = parse_address(text)
    assert all((*read.buildings, *read.stairwells))
    assert normalise_name(normalise_name(text)) == normalise_name(text)


def test_no_text_takes_long() -> None:
    chance = random.Random(1)  # noqa: S311  (no secret)
    texts = [
        "1、" * 100,
        "1-2、" * 40,
        "1栋-" * 50,
        "十" * 200,
        "路" * 200,
        "湖1路2街" * 40,
        "A-" * 100,
    ]
    texts += ["".join(chance.choices("1A-、,;栋楼号单元室房十", k=200)) for _ in range(40)]
    start = time.process_time()
    for text in texts:
        parse_address(text)
    assert time.process_time() - start < 2


def test_a_text_that_is_no_address_is_not_read() -> None:
    text = "翠湖花园3栋" * 100
    assert parse_address(text) == Address(rest=text)


# ---- columns


PARTS: list[tuple[dict[str, str], Address]] = [
    ({"compound": "翠湖花园", "building": "3", "stairwell": "2", "room": "302"}, address(**HOME)),
    (
        {"compound": "翠湖花园", "building": "3栋", "stairwell": "二单元", "room": "302室"},
        address(**HOME),
    ),
    ({"compound": "翠湖花园", "building": "3栋2单元", "room": "302"}, address(**HOME)),
    ({"compound": "翠湖花园", "building": "3", "room": "2-302"}, address(**HOME)),
    ({"compound": "翠湖花园", "room": "3-2-302"}, address(**HOME)),
    ({"compound": "翠湖花园3栋", "stairwell": "2梯", "room": "302"}, address(**HOME)),
    ({"address": "翠湖花园3栋2单元302室"}, address(**HOME)),
    ({"compound": "翠湖花园", "address": "3栋2单元302室"}, address(**HOME)),
    ({"building": "1-3"}, address(buildings=("1", "2", "3"))),
    ({"building": "1-5;7-10"}, address(buildings=(*"12345", "7", "8", "9", "10"))),
    ({"building": "3楼"}, address(buildings="3")),
    ({"building": "12号"}, address(buildings="12")),
    ({"building": "东"}, address(buildings="东")),
    ({"building": "综合楼"}, address(buildings="综合楼")),
    ({"building": "3", "stairwell": "无"}, address(buildings="3")),
    ({"building": "3", "stairwell": "/"}, address(buildings="3")),
    ({"building": "桂园路12号"}, address(street="桂园路12号")),
    ({"building": "3", "room": "301、302"}, address(buildings="3", room="301、302")),
    ({"building": "3", "room": "3楼302"}, address(buildings="3", floor="3", room="302")),
    ({"compound": "滨江1号", "building": "3"}, address(compound="滨江1号", buildings="3")),
    (
        {"building": "3", "address": "翠湖花园5栋"},
        address(compound="翠湖花园", buildings="3", rest="5"),
    ),
]


@pytest.mark.parametrize(("cells", "parts"), PARTS)
def test_columns_are_read_together(cells: dict[str, str], parts: Address) -> None:
    assert parse_parts(**cells) == parts


# ---- names


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("滨江一号", "滨江1号"),
        ("翠湖花园（二期）", "翠湖花园2期"),
        ("翠湖·花园", "翠湖 花园"),
        ("SOHO公寓", "soho公寓"),
        ("翠湖花園", "翠湖花园"),
    ],
)
def test_spellings_of_a_name_are_one(one: str, other: str) -> None:
    assert normalise_name(one) == normalise_name(other)


def test_other_names_stay_others() -> None:
    names = ["翠湖花园", "翠湖苑", "翠湖花园1期", "翠湖花园2期", "桂园", "桂园新村", "百合苑"]
    assert len({normalise_name(name) for name in names}) == len(names)


def test_words_for_nothing_are_known() -> None:
    assert all(is_none_word(text) for text in ("", "无", "—", "－", "/", "N/A", " 没有 "))
    assert not any(is_none_word(text) for text in ("0", "无锡花园", "A", "十"))


def test_what_is_no_range_is_not_expanded() -> None:
    assert expand("1", "1") is None
    assert expand("3", "1") is None
    assert expand("A", "A") is None
    assert expand("A1", "B3") is None
    assert expand("甲", "丙") == ("甲", "乙", "丙")
    assert canonical("007") == "7"

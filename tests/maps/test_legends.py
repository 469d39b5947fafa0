import pytest

from maps.coverage import coverage_legend
from maps.heat import heat_legend
from maps.routes import routes_legend
from maps.words import WORDS
from tests.maps import town


def test_coverage_counts_each_state_and_puts_what_needs_doing_first() -> None:
    legend = coverage_legend(town.state_counts(), lang="zh")
    assert [(line.label, line.count) for line in legend.lines] == [
        ("没有联系人", 24),
        ("联系人今天不在", 24),
        ("联系人超负荷", 24),
        ("党员联系人", 72),
        ("其他联系人", 72),
    ]


def test_a_state_that_nobody_counted_is_nought() -> None:
    assert [line.count for line in coverage_legend({}, lang="en").lines] == [0, 0, 0, 0, 0]


def test_heat_counts_cells_a_class_and_says_what_is_withheld() -> None:
    cells = town.cells()
    legend = heat_legend(cells, total=457, withheld=7, least_shown=5, lang="zh")
    *classes, withheld, hot = legend.lines
    assert [line.label for line in classes] == ["1–2", "3–5", "6–12", "13–26", "27–60"]
    assert sum(line.count or 0 for line in classes) == 33
    assert (withheld.label, withheld.count) == ("少于 5 件，不显示", 2)
    assert (hot.label, hot.count) == ("显著热点", 5)
    shown = int(cells["incident_count"].sum())
    assert list(legend.remarks) == [
        f"共 457 件，显示 {shown} 件",
        "另有 7 件因同格件数少而不显示",
    ]


def test_heat_without_a_cell_says_so() -> None:
    empty = town.cells().iloc[:0]
    legend = heat_legend(empty, total=3, withheld=3, least_shown=5, lang="en")
    assert [line.label for line in legend.lines] == ["Significant hot spots"]
    assert legend.remarks[-1] == "No heat cells to show"


@pytest.mark.parametrize("count", [1, 60])
def test_routes_count_teams_stops_and_kilometres(count: int) -> None:
    teams = tuple(f"第{number}队" for number in range(1, count + 1))
    legend = routes_legend(town.routes(teams), town.stops(teams), lang="zh")
    assert [line.count for line in legend.lines] == [count, 6 * count, count]
    assert legend.remarks[0].startswith(f"{count} 队，{6 * count} 个点位，共 ")


def test_the_length_of_a_route_is_in_metres_on_the_ground() -> None:
    legend = routes_legend(town.routes(("第1队",)), town.stops(("第1队",)), lang="zh")
    # By hand: 240 + 145 + 125 + 250 + 125 + 230 + 155 metres.
    assert legend.remarks[0].endswith("共 1.3 公里")


def test_every_phrase_is_there_in_both_languages_with_the_same_facts() -> None:
    for key, phrase in WORDS.items():
        assert set(phrase) == {"zh", "en"}, key
        facts = [
            {part.split("}")[0].split(":")[0] for part in text.split("{")[1:]}
            for text in phrase.values()
        ]
        assert facts[0] == facts[1], key

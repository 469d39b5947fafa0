"""The words on the maps, Chinese and English; the glossary is in docs/ARCHITECTURE.md."""

from typing import Literal

Language = Literal["zh", "en"]

HTML_LANGUAGE: dict[Language, str] = {"zh": "zh-CN", "en": "en"}

WORDS: dict[str, dict[Language, str]] = {
    "map": {"zh": "地图", "en": "Map"},
    "layers": {"zh": "图层", "en": "Layers"},
    "legend": {"zh": "图例", "en": "Legend"},
    "zoom_in": {"zh": "放大", "en": "Zoom in"},
    "zoom_out": {"zh": "缩小", "en": "Zoom out"},
    "whole": {"zh": "显示全部", "en": "Show all"},
    "close": {"zh": "关闭", "en": "Close"},
    "tiles_failed": {
        "zh": "部分地图没有载入，请刷新重试",
        "en": "Part of the map did not load: reload to try again",
    },
    "search": {"zh": "搜索小区", "en": "Search for a compound"},
    "not_found": {"zh": "没有找到这个小区", "en": "No compound of that name"},
    "communities": {"zh": "社区", "en": "Communities"},
    "compounds": {"zh": "小区", "en": "Compounds"},
    "compound": {"zh": "小区", "en": "Compound"},
    "buildings": {"zh": "楼栋", "en": "Buildings"},
    "walkways": {"zh": "道路", "en": "Streets and paths"},
    "background": {"zh": "底图", "en": "Background map"},
    "stairwells": {"zh": "楼道", "en": "Stairwells"},
    "stairwell": {"zh": "楼道", "en": "Stairwell"},
    "households": {"zh": "户数", "en": "Households"},
    "contact": {"zh": "联系情况", "en": "Contact"},
    "coverage": {"zh": "楼道联系人", "en": "Contacts of stairwells"},
    "covered_party": {"zh": "党员联系人", "en": "Party member"},
    "covered_other": {"zh": "其他联系人", "en": "Other volunteer"},
    "absent": {"zh": "联系人今天不在", "en": "Contact is away today"},
    "overloaded": {"zh": "联系人超负荷", "en": "Contact has too many"},
    "uncovered": {"zh": "没有联系人", "en": "Nobody"},
    "uncovered_marks": {"zh": "没有联系人（标记）", "en": "Nobody (marks)"},
    "unit_stairwells": {"zh": "单位：楼道", "en": "Number of stairwells"},
    "heat": {"zh": "事项热力", "en": "Where incidents gather"},
    "heat_cells": {"zh": "热力格", "en": "Heat cells"},
    "heat_cell": {"zh": "热力格", "en": "Heat cell"},
    "heat_surface": {"zh": "热力面", "en": "Heat surface"},
    "hot_spots": {"zh": "显著热点", "en": "Significant hot spots"},
    "withheld_cell": {"zh": "少于 {k} 件，不显示", "en": "Fewer than {k}, not shown"},
    "withheld_cell_plain": {"zh": "件数太少，不显示", "en": "Too few, not shown"},
    "incidents": {"zh": "事项", "en": "Incidents"},
    "incidents_a_km2": {"zh": "每平方公里事项数", "en": "Incidents per km²"},
    "incidents_a_cell": {"zh": "每格事项数", "en": "Incidents a cell"},
    "unit_cells": {"zh": "右侧为格数", "en": "At the right: number of cells"},
    "heat_shows": {
        "zh": "共 {total:,} 件，显示 {shown:,} 件",
        "en": "{shown:,} of {total:,} incidents shown",
    },
    "heat_withheld": {
        "zh": "另有 {withheld:,} 件因同格件数少而不显示",
        "en": "{withheld:,} withheld, their cells having too few",
    },
    "no_cells": {"zh": "没有可显示的热力格", "en": "No heat cells to show"},
    "routes": {"zh": "巡查路线", "en": "Patrol routes"},
    "team": {"zh": "巡查队", "en": "Team"},
    "route_line": {"zh": "路线与方向", "en": "Route and direction"},
    "stop": {"zh": "点位（按顺序）", "en": "Stop, in order"},
    "stop_of": {"zh": "第 {n} 站，共 {count} 站", "en": "Stop {n} of {count}"},
    "start_post": {"zh": "出发点", "en": "Start post"},
    "arrival": {"zh": "到达", "en": "Arrival"},
    "reason": {"zh": "原因", "en": "Reason"},
    "routes_counts": {
        "zh": "{teams} 队，{stops} 个点位，共 {km} 公里",
        "en": "{teams} teams, {stops} stops, {km} km in all",
    },
    "quality": {"zh": "质量检查", "en": "Quality report"},
    "quality_counts": {
        "zh": "{layer}共 {count:,} 个：{errors:,} 处错误，{warnings:,} 处警告",
        "en": "{layer}: {errors:,} errors and {warnings:,} warnings in {count:,} features",
    },
    "quality_clean": {
        "zh": "{layer}共 {count:,} 个，没有发现问题",
        "en": "{layer}: nothing wrong in {count:,} features",
    },
    "no_faults": {"zh": "没有发现问题", "en": "Nothing wrong was found"},
    "faults_shown": {
        "zh": "地图上显示 {shown:,} 处，共 {total:,} 处",
        "en": "{shown:,} of {total:,} faults are on the map",
    },
    "unit_faults": {"zh": "右侧为处数", "en": "At the right: number of faults"},
    "severity": {"zh": "级别", "en": "Severity"},
    "error": {"zh": "错误", "en": "Error"},
    "warning": {"zh": "警告", "en": "Warning"},
    "source_row": {"zh": "行", "en": "Row"},
    "row_n": {"zh": "第 {n} 行", "en": "row {n}"},
    "concerns": {"zh": "涉及", "en": "Concerns"},
    "measure": {"zh": "大小", "en": "Size"},
    "advice": {"zh": "说明", "en": "What to do"},
}

_IN_SCRIPTS = (
    "map",
    "layers",
    "legend",
    "zoom_in",
    "zoom_out",
    "whole",
    "close",
    "tiles_failed",
    "search",
    "not_found",
    "compound",
    "stairwell",
    "households",
    "contact",
    "arrival",
    "reason",
    "team",
    "covered_party",
    "covered_other",
    "absent",
    "overloaded",
    "uncovered",
    "start_post",
)


def say(key: str, lang: Language, **facts: object) -> str:
    """Return a phrase in one language, its facts filled in.

    Examples
    --------
    >>> say("heat_withheld", "zh", withheld=12)
    '另有 12 件因同格件数少而不显示'
    """
    return WORDS[key][lang].format(**facts)


def script_words(lang: Language) -> dict[str, str]:
    """Return the words that the scripts in the page put up themselves."""
    return {key: WORDS[key][lang] for key in _IN_SCRIPTS}

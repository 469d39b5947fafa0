"""Territories from OpenStreetMap extracts."""

from geodata.osm.reader import OsmTerritory, read_territory
from geodata.osm.report import ImportReport, KindCount

__all__ = ["ImportReport", "KindCount", "OsmTerritory", "read_territory"]

"""API keys for QGIS and scripts."""

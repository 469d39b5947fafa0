"""Open311 GeoReport v2 at /open311/v2, in XML and JSON.

It is an interface of its own: its form is that of the specification, not of the JSON API, and
every answer is held against schemas of ours in the tests.

References
----------
GeoReport v2, https://wiki.open311.org/GeoReport_v2/
"""

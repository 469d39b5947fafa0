"""OGC API Features and Tiles over the views of the schema ``planner``, by the library tipg.

The library writes its own SQL, from filters that callers write. What keeps a caller within the own
territory is therefore here: each request reads in one read-only transaction in its caller's scope
(`pool`), every statement names the caller's intervals before the policies do (`collections`), and a
filter may hold no function, only listed operators and columns (`filters`).
"""

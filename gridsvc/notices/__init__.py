"""Notices: an outbox in the caller's transaction, channels that carry it, inboxes, live updates.

It knows no feature: whoever has something to say names a template, its values and an audience.
"""

"""Whole layers as files that planners open: streams of Arrow batches in, a file or text out.

Nothing here holds more than a batch of rows at a time.
"""

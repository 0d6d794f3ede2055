"""Plain-text log lines to values: one file a family of shapes, pure functions.

`shapes.py` lists them and tells which one a file speaks; `grouping.py` joins the lines of a
stack trace to the record they belong to.
"""

"""How a result is shown: a terminal's text, a comment, a page. Pure: values in, a text out.

All faces tell the same `Telling` (`grouping`), so that none says what another does not.
"""

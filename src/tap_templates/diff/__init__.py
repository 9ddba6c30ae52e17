"""What a change of templates means: pure functions from two templates to one result.

`load` reads files and folders; everything else takes values in and gives values out.
"""

"""What the law says about hours, as dated data with sources, and the questions that are asked of it. Pure.

Not legal advice. ``docs/quiet-hours.md`` says how sure each row is.
"""

"""The form of a flow's steps."""

from wagtail import blocks


def steps_block() -> blocks.StreamBlock:
    return blocks.StreamBlock([("send", blocks.StructBlock([("body", blocks.TextBlock())]))], required=False)

"""What people mean when they answer a question: a yes, a number, one of some words. Pure: no Django."""

from smsflow_plugin.audience.answers.menus import Menu
from smsflow_plugin.audience.answers.numbers import only_number
from smsflow_plugin.audience.answers.yes_no import agrees, is_no, is_yes, yes_or_no

__all__ = ["Menu", "agrees", "is_no", "is_yes", "only_number", "yes_or_no"]

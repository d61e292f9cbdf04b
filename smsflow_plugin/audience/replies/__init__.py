"""What a text that people write back means for consent, in any wording. Pure: no Django."""

from smsflow_plugin.audience.replies.folding import fold
from smsflow_plugin.audience.replies.reading import read_reply, reserved
from smsflow_plugin.audience.replies.verdicts import Reading, Verdict

__all__ = ["Reading", "Verdict", "fold", "read_reply", "reserved"]

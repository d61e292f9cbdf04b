"""Words and turns that decide: what each layer reads, and what it must leave alone."""

from __future__ import annotations

import pytest

from smsflow_plugin.audience.replies import Verdict, read_reply, reserved


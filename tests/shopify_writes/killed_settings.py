"""The settings of the worker that is killed: those of the tests, with the stand-in shop."""

import os

from tests.settings import *  # noqa: F403
from tests.settings import SMSFLOW

SMSFLOW = {**SMSFLOW, "SHOPIFY_URL": os.environ["TEST_SHOPIFY_URL"]}

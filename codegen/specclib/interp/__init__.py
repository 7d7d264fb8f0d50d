"""The spec interpreted: a second reader of messages beside the generated C, and a writer for test messages.

It works on the resolved model alone and shares nothing with gen/, so that a mistake of either shows as a
difference between the two."""

from .fault import Fault
from .message import Reader, Verdict
from .write import Writer

__all__ = ["Fault", "Reader", "Verdict", "Writer"]

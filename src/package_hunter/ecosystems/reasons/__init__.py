"""Why a command failed: its output read as what it is, untrusted text that decides between sentences only.

``Failures`` makes sentences and records; ``why`` gives what the failure means and what to do, and the line that told it
(``kinds``); ``last_words`` the end of the output, made fit to be shown (``words``).
"""

from __future__ import annotations

from package_hunter.ecosystems.reasons.failed import Failures, words_of
from package_hunter.ecosystems.reasons.why import Why, why
from package_hunter.ecosystems.reasons.words import last_words

__all__ = ["Failures", "Why", "last_words", "why", "words_of"]

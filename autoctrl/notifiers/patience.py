"""How long a notifier may take before somebody ends its process."""

from __future__ import annotations

import signal

LONGEST_S = 8.0
SPARE_S = 2.0


def time_left_s() -> float:
    """Return the seconds that one message may take from now on, none or less if it is too late.

    A process that sends messages has an alarm of the kernel, which ends it: what is under way then
    counts as perhaps told, so that nothing is begun that will not be finished.
    """
    alarm_s, _ = signal.getitimer(signal.ITIMER_REAL)
    return min(LONGEST_S, alarm_s - SPARE_S) if alarm_s else LONGEST_S

"""Which processes run below a test, for tests that kill some of them."""

from contextlib import suppress

import psutil


def processes_below(driver: psutil.Process, title: str) -> list[psutil.Process]:
    """Those with the words in their title, without what has ended or ends while the list is read."""
    found = []
    for process in driver.children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # also of a zombie, which has no title
            if title in " ".join(process.cmdline()):
                found.append(process)
    return found

"""The control: each test without a mutant. One that fails then would kill every mutant, so it is asked about none."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Controls:
    """Each test is run once without a mutant, before the first mutant that it is asked about."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.known: dict[str, bool] = {}

    def are_passed(self, test: str, passes: Callable[[], bool]) -> bool:
        with self.lock:
            if test not in self.known:
                self.known[test] = passes()
                if not self.known[test]:
                    print(f"{test} is left out, it fails without a mutant", flush=True)
            return self.known[test]

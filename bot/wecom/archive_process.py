"""The process in which WeCom's native library lives: a crash there ends nothing here.

``python -m bot.wecom.archive_process`` reads one JSON order, then requests, a line each, and
answers each with a line. What the library prints by itself goes to the error output.
"""

from __future__ import annotations

import json
import os
import sys
from typing import IO

from bot.wecom.archive_library import (
    ArchiveLibrary,
    LibraryOrder,
    LibraryRefused,
    LibraryUnusable,
)


def serve(requests: IO[str], answers: IO[str]) -> None:
    """Open the library by the first line, then answer requests until there are none."""
    try:
        library = ArchiveLibrary(LibraryOrder(**json.loads(requests.readline())))
    except LibraryUnusable as error:
        _say(answers, {"unusable": str(error)})
        return
    except LibraryRefused as error:
        _say(answers, {"refused": error.code})
        return
    _say(answers, {"ready": True})
    for line in requests:
        request = json.loads(line)
        try:
            items = library.pull(int(request["seq"]), int(request["limit"]))
            _say(answers, {"items": items})
        except LibraryRefused as error:
            _say(answers, {"refused": error.code})
    library.close()


def _say(answers: IO[str], words: dict[str, object]) -> None:
    answers.write(json.dumps(words) + "\n")
    answers.flush()


def main() -> None:
    """Keep the true output for answers alone, then serve."""
    own = os.dup(1)
    os.dup2(2, 1)
    with os.fdopen(own, "w", encoding="utf-8") as answers:
        serve(sys.stdin, answers)


if __name__ == "__main__":
    main()

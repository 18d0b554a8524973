"""Ids taken from paths by somebody's regular expression, which cannot hold up the program.

Python's expressions may take for ever (``(a+)+$``), hold the interpreter's lock meanwhile, and cannot be stopped; so
they are searched for in a process of their own, which can.
"""

import json
import re
import subprocess
import sys
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from time import monotonic

from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import StudyError

GROUP = "id"
MAX_PATTERN_LENGTH = 500
MAX_PATH_LENGTH = 1000
TIME_LIMIT_S = 20.0
_STEP_S = 0.2

_SEARCH = """
import json, re, sys
pattern, paths = json.load(sys.stdin)
found = map(re.compile(pattern).search, paths)
json.dump([match and match["id"] and [match["id"], match.start("id")] for match in found], sys.stdout)
"""


@dataclass(frozen=True, slots=True)
class PatternMatch:
    """An id in a path.

    Attributes
    ----------
    participant_id
        What the group ``id`` matched.
    start
        Where in the path.
    """

    participant_id: str
    start: int


def check_pattern(pattern: str) -> None:
    """Refuse a pattern that cannot be used.

    Raises
    ------
    StudyError
        When it is no regular expression, has no group ``id``, or is longer than `MAX_PATTERN_LENGTH`.
    """
    example = r"e.g. 'sub-(?P<id>\d+)'"
    if len(pattern) > MAX_PATTERN_LENGTH:
        raise StudyError(f"The id pattern has {len(pattern)} characters; at most {MAX_PATTERN_LENGTH} are taken.")
    try:
        groups = re.compile(pattern).groupindex
    except (re.error, RecursionError, OverflowError) as fault:
        raise StudyError(
            f"The id pattern {pattern!r} is no regular expression: {fault}. Give one, {example}."
        ) from fault
    if GROUP not in groups:
        raise StudyError(f"The id pattern {pattern!r} has no group {GROUP!r}, which is to match the id; {example}.")


def search_paths(pattern: str, paths: Sequence[str]) -> Generator[Progress, None, list[PatternMatch | None]]:
    """Search for a pattern in each path; None where it does not match, or the path is over `MAX_PATH_LENGTH`.

    Raises
    ------
    StudyError
        When the pattern cannot be used, or takes longer than `TIME_LIMIT_S`.
    """
    check_pattern(pattern)
    question = json.dumps([pattern, [path if len(path) <= MAX_PATH_LENGTH else "" for path in paths]])
    command = [sys.executable, "-I", "-S", "-c", _SEARCH]
    start = monotonic()
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, encoding="ascii") as process:
        try:
            pending: str | None = question
            while True:
                try:
                    answer, complaint = process.communicate(pending, timeout=_STEP_S)
                    break
                except subprocess.TimeoutExpired:
                    pending = None
                if monotonic() - start > TIME_LIMIT_S:
                    raise StudyError(
                        f"The id pattern {pattern!r} takes longer than {TIME_LIMIT_S:g} s for {len(paths)} names. Make "
                        "it simpler: no repetition within a repetition, such as (a+)+."
                    )
                yield Progress(0, 0, "searching for ids in names")
        finally:
            process.kill()
    if process.returncode != 0:
        raise StudyError(f"The id pattern {pattern!r} could not be searched for: {complaint.strip()[-300:]}")
    # an empty match is no id
    return [PatternMatch(*found) if isinstance(found, list) else None for found in json.loads(answer)]

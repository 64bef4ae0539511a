"""The filter language, one for the capture filter (in the kernel) and the display filter (on the screen).

``comm=nginx and (latency>500us or ret!=0)``, ``full~"^/tmp/"``, ``not pid=1``

- Terms are ``field operator value``; ``not`` binds tightest, then ``and``, then ``or``; parentheses group. Keywords and
  field names may be in any case. The empty filter is true for every event.
- Numbers take ``= != > >= < <=`` (``==`` is ``=``). Durations take ns, us, ms, s; a bare number is in us.
- Text takes ``= != ~ !~``; ``~`` searches the bytes for a regular expression of RE2. Bare words end at a space, a quote
  or a parenthesis and have no escapes. In quotes, ``= !=`` know the escapes ``\\\\ \\" \\' \\n \\r \\t \\xNN
  \\uNNNN \\UNNNNNNNN``, which is how text is shown; for ``~ !~`` a backslash belongs to the pattern.
- ``argv`` is the arguments joined by spaces. ``ret`` takes error names: ``ret=ENOENT`` and ``ret=-ENOENT`` are -2, and
  ``ret=ok`` is 0. Every field takes its values as tables, JSON and CSV show them.
- ``dir`` is the directory of a deletion's path; ``command`` and ``subcommand`` are what ranked rows show of an exec.
- ``op`` is unlink or rmdir; ``preempted`` and ``truncated`` are true or false, and may stand alone; ``program`` is a
  program's name.
- A comparison with a field that the event's program does not have is false with every operator, and its ``not`` is
  true. So one filter serves all tables.
- An unknown id differs from every number: only ``!=`` is true for it. ``pid=unknown`` finds such ids.
"""

from ringtop.bpf.common.errors import FilterError
from ringtop.bpf.filter.complete import complete
from ringtop.bpf.filter.expr import ALL, And, Compare, Expr, Not, Or, mentions
from ringtop.bpf.filter.match import match
from ringtop.bpf.filter.parser import Expected, expected, parse
from ringtop.bpf.filter.value import fields

__all__ = [
    "ALL",
    "And",
    "Compare",
    "Expected",
    "Expr",
    "FilterError",
    "Not",
    "Or",
    "complete",
    "expected",
    "fields",
    "match",
    "mentions",
    "parse",
]

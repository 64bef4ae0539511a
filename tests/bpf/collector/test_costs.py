"""What ringtop costs: whose waits it caused, and the process that has the kernel count."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ringtop.bpf.collector.costs import Costing
from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.schema import SCHEMAS

OWN = [101, 102]


@given(st.lists(st.lists(st.sampled_from([1, *OWN, 103]), max_size=23), max_size=5))
def test_waits_because_of_one_of_ours_are_counted(batches: list[list[int]]) -> None:
    costing = Costing(OWN, {}, lambda on: "")
    for culprits in batches:
        rows = np.zeros(len(culprits), SCHEMAS["runqslower"].dtype)
        rows["culprit_pid"] = culprits
        costing.saw(Batch("runqslower", rows, b""))
        costing.saw(Batch("execsnoop", np.zeros(3, SCHEMAS["execsnoop"].dtype), b""))
    told = costing.costs([], {})
    assert told.waits == sum(map(len, batches))
    assert told.kept_waiting == sum(pid in OWN for culprits in batches for pid in culprits)


def test_a_process_that_is_gone_is_left_out() -> None:
    told = Costing([], {"gone": (1 << 22) + 1}, lambda on: "").costs([], {})
    assert [process.name for process in told.processes] == ["collector"]

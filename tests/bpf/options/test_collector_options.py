"""The collector's options: what is written as a command line is read again, and what is out of limits is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringtop.bpf.common.sizes import EMITS, LARGEST, MOST_EVENTS, PAGE
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.bpf.options.collector import CollectorOptions

SIZES = [1 << n for n in range(40) if PAGE <= 1 << n <= LARGEST]
OPTIONS = st.builds(
    CollectorOptions,
    programs=st.lists(st.sampled_from(list(SCHEMAS)), min_size=1, unique=True).map(tuple),
    transport=st.sampled_from(["auto", "ringbuf", "perfbuf"]),
    buffer=st.sampled_from([0, *SIZES]),
    wakeup=st.sampled_from(["timer", "adaptive", "every"]) | st.integers(1, MOST_EVENTS).map("batch:{}".format),
    capture=st.sampled_from(["", "pid=1", 'comm="--buffer=1"', "latency>5ms and uid!=0"]),
    merge_ms=st.integers(0, 1000),
    min_us=st.none() | st.integers(0, 10**9),
    emit=st.sampled_from(EMITS),
    histogram=st.booleans(),
    exclude=st.lists(st.integers(1, 1 << 22), unique=True).map(tuple),
    launched=st.integers(0, 1 << 22),
)


@given(OPTIONS)
def test_a_command_line_is_read_as_it_was_written(options: CollectorOptions) -> None:
    assert CollectorOptions.parse(options.arguments()) == options


def test_nothing_said_is_the_defaults_with_the_usual_programs() -> None:
    assert CollectorOptions.parse([]) == CollectorOptions()
    assert CollectorOptions().programs == ("runqslower", "execsnoop", "unlinksnoop")
    assert CollectorOptions().arguments() == ["runqslower", "execsnoop", "unlinksnoop"]


def test_a_value_may_be_a_word_of_its_own() -> None:
    read = CollectorOptions.parse(["execsnoop", "--min-us", "5", "execsnoop", "--exclude", "7", "--exclude=9"])
    assert read == CollectorOptions(programs=("execsnoop",), min_us=5, exclude=(7, 9))


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("opensnoop", "runqslower, execsnoop, unlinksnoop"),
        ("--transport=pigeon", "--transport: 'pigeon' is not one of auto, ringbuf, perfbuf"),
        ("--buffer=100K", "--buffer: a buffer of 100K is not possible"),
        ("--buffer=-4096", "--buffer: '-4096' is not a size"),
        (f"--wakeup=batch:{MOST_EVENTS + 1}", f"--wakeup: 'batch:{MOST_EVENTS + 1}': N must be a number of events"),
        ("--capture=argv~x", "--capture: the kernel cannot check argv"),
        ("--capture=pid=", "--capture: "),
        ("--merge-ms=1001", "--merge-ms: '1001' is not a whole number from 0 to 1000"),
        ("--merge-ms=1.5", "--merge-ms: '1.5' is not a whole number"),
        ("--min-us=-1", "--min-us: '-1' is not a whole number from 0 to 1000000000"),
        ("--emit=reserved", "--emit: 'reserved' is not one of output"),
        ("--exclude=0", "--exclude: '0' is not a whole number from 1"),
        ("--exclude", "--exclude needs a value"),
        ("--unit=", "--unit: a name is missing"),
        ("--container=", "--container: a name is missing"),
        ("--nonsense=1", "there is no option --nonsense; the options are --transport"),
        ("-x", "there is no option -x"),
    ],
)
def test_what_is_out_of_limits_is_refused(word: str, told: str) -> None:
    with pytest.raises(ValueError) as caught:
        CollectorOptions.parse([word])
    assert told in str(caught.value)

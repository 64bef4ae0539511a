"""What verifiers of older kernels would refuse is left out, variant by variant, and what they take is small enough."""

from __future__ import annotations

import struct
from dataclasses import replace
from graphlib import TopologicalSorter

import pytest

from ringtop.bpf.collector.start import start_tracer
from ringtop.bpf.event.schema import SCHEMAS, usual
from ringtop.bpf.kernel import loader, probe
from ringtop.bpf.kernel.bcc_loader import BccProgram
from ringtop.bpf.kernel.features import Kernel
from ringtop.bpf.kernel.instructions import CALL, EXIT
from ringtop.bpf.kernel.ladder import Rung, Variant, ladder
from ringtop.bpf.options.collector import CollectorOptions
from tests.kernel.loads import fail_programs
from tests.kernel.old import old_kernel

MOST = 4096
"""BPF_MAXINSNS, which is the most before 5.2 (include/uapi/linux/bpf_common.h)."""
JUMP = 0x05
"""BPF_JMP: the class of the jumps that bcc makes, and the one without a condition."""
REFUSED = Variant("refused", {"FAILED_ARGS": "*(volatile int *)8"})  # type: ignore[dict-item]
"""It reads from an address that it was not given: no verifier takes that."""


def variants() -> list[tuple[str, str, str]]:
    """Program, rung and variant of all that is for kernels without BTF, but for loops, which those refuse."""
    every = [(program, rung) for program in SCHEMAS for rung in ladder(program, old_kernel())]
    able = [(program, rung) for program, rung in every if not rung.missing]
    return [(p, rung.name, v.name) for p, rung in able for v in rung.variants if v.name != "loops"]


def only(rung_name: str, variant_name: str, program: str, kernel: Kernel) -> list[Rung]:
    (rung,) = (rung for rung in ladder(program, kernel) if rung.name == rung_name)
    return [replace(rung, variants=tuple(v for v in rung.variants if v.name == variant_name))]


@pytest.mark.parametrize(("program", "rung", "variant"), variants())
def test_a_program_for_old_kernels_has_as_few_instructions_as_those_take(
    program: str, rung: str, variant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loader, "ladder", lambda program, kernel: only(rung, variant, program, kernel))
    loaded = loader.load(program, old_kernel(), ringbuf=False)
    assert isinstance(loaded.handle, BccProgram)
    try:
        codes = {h.function: loaded.handle.bpf.dump_func(h.function.encode()) for h in loaded.rung.hooks}
    finally:
        loaded.close()
    sizes = {function: len(code) // 8 for function, code in codes.items()}
    assert all(0 < size <= MOST for size in sizes.values()), sizes
    for code in codes.values():
        follow(code)  # before 5.3 verifiers take no loops


def follow(code: bytes) -> None:
    """Raises CycleError where a program comes back to an instruction (Documentation/bpf/standardization)."""
    after = {}
    for at, (step, _, offset, _) in enumerate(struct.iter_unpack("<BBhi", code)):
        jumps = step & 7 == JUMP and step not in (CALL, EXIT)
        falls = [] if step in (JUMP, EXIT) else [at + 1]
        after[at] = [*falls, *([at + 1 + offset] if jumps else [])]
    TopologicalSorter(after).prepare()


def test_of_every_usual_program_there_is_something_for_old_kernels() -> None:
    assert {program for program, *_ in variants()} == set(usual())


@pytest.mark.parametrize(("refused", "kept"), [(0, 60), (1, 60), (2, 20)])
def test_a_refused_variant_gives_way_to_the_next(refused: int, kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many are refused as are put in the way of the others; what is used then is told, and what it leaves out."""

    def hard(program: str, kernel: Kernel) -> list[Rung]:
        (rung,) = (rung for rung in ladder(program, kernel) if rung.name.endswith("from the new stack"))
        return [replace(rung, variants=(*[REFUSED] * refused, *rung.variants[refused:]))]

    monkeypatch.setattr(loader, "ladder", hard)
    tracer = start_tracer("execsnoop", Kernel(), CollectorOptions())
    try:
        fail_programs(1, "/nonexistent/program", *map(str, range(70)))
        tracer.stop()
        rows = tracer.drain(1 << 62).batch.rows
        state = tracer.state
    finally:
        tracer.close()
    (failed,) = rows[(rows["ret"] < 0) & (rows["argc"] > kept)]
    assert failed["truncated"]
    assert failed["argc"] == kept + 1, "one more was seen to be there"
    assert all("invalid mem access" in tried for tried in state.tried), state.tried
    assert [tried.partition(":")[0].rpartition(", ")[2] for tried in state.tried] == ["refused"] * refused
    name = ["", " (unrolled)", " (unrolled, 20 arguments)"][refused]
    assert state.hook.endswith("arguments from the new stack" + name)
    assert ("20 arguments" in state.without) == (kept == 20)


def test_what_a_kernel_has_is_tried() -> None:
    """This one has the helpers, and tells a program that its event found no room."""
    assert probe.helpers() == {"HAS_CGROUP_ID": 1, "HAS_PROBE_READ_USER": 1}
    assert probe.perf_output_without_room() == -28  # ENOSPC
    assert not Kernel().silent_perf

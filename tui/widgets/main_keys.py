"""The keys of the main screen that work whichever table has the focus."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from ringtop.bpf.event.schema import SCHEMAS

MAIN: list[BindingType] = [
    Binding(
        "slash",
        "filter",
        "Filter",
        key_display="/",
        id="filter",
        tooltip="Filter the display: show only matching events",
    ),
    Binding("c", "capture", "Capture", id="capture", tooltip="Capture filter: the kernel sends only matching events"),
    Binding("escape,backspace", "back", "Back", id="back", tooltip="Go back from the events of a row to the row"),
    Binding("escape", "clear", "Clear filter", id="clear", tooltip="Clear the display filter"),
    Binding("v", "show_next", "Rows/events", id="shows", tooltip="Show ranked rows, events, or both"),
    Binding("V", "show_all_next", "Rows/events of all", False, id="shows_all", tooltip="The same in all tables"),
    *(
        Binding(str(i), f"table({i})", f"Table {i}", show=False, id=f"table_{i}", tooltip=f"Show only table {i}")
        for i in range(1, len(SCHEMAS) + 2)
    ),
    Binding("0", "table(0)", "All", show=False, id="table_all", tooltip="Show all tables"),
    Binding("tab", "app.focus_next", "Next table", show=False, id="next"),
    Binding("shift+tab", "app.focus_previous", "Previous table", show=False, id="previous"),
    Binding("b", "buffers", "Buffers", id="buffers", tooltip="Show the buffers CPU by CPU, or in one line"),
    Binding("H", "waits", "All waits", id="waits", tooltip="Show how long all tasks waited, also the short waits"),
    Binding("d", "detail", "Detail", id="detail", tooltip="Show or hide all fields of the selected row"),
    Binding(
        "t",
        "retune('transport')",
        "Transport",
        id="transport",
        tooltip="Switch between ring buffer and perf buffers",
    ),
    Binding(
        "plus",
        "retune('larger')",
        "Larger buffer",
        show=False,
        key_display="+",
        id="larger",
        tooltip="Double the buffer",
    ),
    Binding(
        "minus",
        "retune('smaller')",
        "Smaller buffer",
        show=False,
        key_display="-",
        id="smaller",
        tooltip="Halve the buffer",
    ),
    Binding(
        "w",
        "retune('wakeup')",
        "Wakeup",
        show=False,
        id="wakeup",
        tooltip="Change when the kernel wakes the reader",
    ),
    Binding(
        "A", "compare", "Compare", show=False, id="compare", tooltip="Compare both transports with the same events"
    ),
    Binding("L", "losses", "Losses", show=False, id="losses", tooltip="Show when and why events were lost"),
    Binding("dollar_sign", "costs", "Cost", key_display="$", id="costs", tooltip="Show what ringtop itself costs"),
    Binding("at", "app.hosts", "Hosts", key_display="@", id="hosts", tooltip="Show all hosts, and choose one of them"),
    Binding("C", "columns", "Columns", show=False, id="columns", tooltip="Choose and order the columns of this table"),
    Binding("a", "time", "Time", show=False, id="time", tooltip="Show the wall clock, the age, or the kernel's clock"),
    Binding("r", "app.retry", "Retry", id="retry", tooltip="Start the collector again"),
]

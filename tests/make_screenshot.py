"""Makes the README's screenshot from the demo, a recording of a real run: `python -m tests.make_screenshot`."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ringtop.tui.app.app import Viewer
from ringtop.tui.cli.start import DEMO
from ringtop.tui.settings.config import Config
from ringtop.tui.settings.state import SavedState
from ringtop.tui.source.replay import ReplaySource

TARGET = Path(__file__).parents[1] / ".docs" / "screenshot.svg"


async def main() -> None:
    """Play the demo to a moment where something was lost, and draw it."""
    source = ReplaySource(DEMO, speed=8, label="demo")
    viewer = Viewer([source], Config(), SavedState())
    async with viewer.run_test(size=(130, 42)) as pilot:
        while source.status.position_ns < 20_000_000_000:
            await pilot.pause(0.1)
        source.toggle()
        await pilot.pause(1)
        TARGET.parent.mkdir(exist_ok=True)
        TARGET.write_text(viewer.export_screenshot(title="ringtop", simplify=True))


asyncio.run(main())

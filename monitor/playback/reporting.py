"""Makes the report of a recording or table: opens it, gathers its data, writes the page."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from pathlib import Path

from monitor.playback.newest import newest_recording
from monitor.playback.playback import Playback, PlaybackError, analysis_of, open_playback, updates
from monitor.profile.reading import load_profile
from monitor.profile.strength import StrengthTest
from monitor.record.output import replacing
from monitor.record.table.reading import Reading
from monitor.report.gathering import Gathered, Gathering
from monitor.report.report_page import report_page
from monitor.report.session_story import story_of


def opened(file: str | None, config: Path | None, reading: Reading | None, *, last: bool) -> Playback:
    """With `last`, the newest recording of the machine whose id is `file` or whose profile is `config`.

    That recording is analysed with its own profile. Raises PlaybackError.
    """
    if last:
        return open_playback(newest_recording(file, load_profile(config) if config else None), None, reading)
    if file is None:
        raise PlaybackError("name a recording or a table, or ask for the newest recording with --last")
    return open_playback(Path(file), config, reading)


def gather(playback: Playback, show: Callable[[float], None]) -> Gathered:
    """Gathers the whole session; `show` is called with the share that has been read."""

    async def whole() -> Gathered:
        gathering = Gathering(playback.profile)
        analysis = analysis_of(
            playback, feedback=True, on_samples=gathering.add_samples, on_positions=gathering.position.add
        )
        async with aclosing(updates(playback, analysis, "max")) as parts:
            async for update in parts:
                gathering.add(update, analysis.spine.limits)
                show(playback.done)
        return gathering.finish(analysis.spine.limits)

    return asyncio.run(whole())


def write_page(path: Path, gathered: Gathered, playback: Playback, strength: StrengthTest | None = None) -> None:
    losses = _nameless(playback.losses, playback.path)
    story = story_of(gathered.records)
    page = report_page(gathered, story, began_utc=playback.began_utc, losses=losses, strength=strength)
    with replacing(path) as file:
        file.write(page.encode())


def _nameless(sentences: Sequence[str], path: Path) -> list[str]:
    """Removes the file's path, so that a page that is passed on does not contain folder names."""
    bare = [sentence.replace(str(path), "").lstrip(",: ") for sentence in sentences]
    return [sentence[:1].upper() + sentence[1:] for sentence in bare]

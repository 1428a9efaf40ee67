"""Makes the pictures of the documentation: an alert as it stands in the channel, and the page, of a generated day.

Needs a Chromium; the system runs as always, against the world on loopback.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from catalyst.bench.house import House
from catalyst.errors import CatalystError, UnavailableError
from catalyst.testing import wait_until
from catalyst.world.generate import generate

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SEED, STORIES, FILINGS, DAY_S = 7, 90, 60, 20
COLOURS = 255


def main(words: list[str] | None = None) -> int:
    """Write alert.png and page.png into the folder; 69 without a browser."""
    parser = argparse.ArgumentParser(prog="scripts/pictures", description="Make the pictures of the documentation.",
                                     epilog="example: scripts/pictures docs/pictures")
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args(words).folder
    try:
        make(folder)
    except CatalystError as error:
        sys.stderr.write(f"pictures: {error}\n")
        return error.exit_code
    return 0


def make(folder: Path) -> None:
    """Play a day and take the pictures. Raises UnavailableError without a browser."""
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser is None:
        raise UnavailableError(f"no browser: install one of {', '.join(BROWSERS)}")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="cat-") as home:
        generate(SEED, STORIES, Path(home) / "day", filings=FILINGS, duration_s=DAY_S)
        play(browser, folder, Path(home))


def play(browser: str, folder: Path, home: Path) -> None:
    """Play the day that is in `home`, wait until every chart is out, take the pictures."""
    with House(home, day=home / "day") as house:
        house.open_world()
        house.up()
        house.wait_until_settled(120)
        wait_until(lambda: bool(house.status()["idle"]), 60, "every chart is out")
        page = house.catalyst("status").rpartition("page: ")[2].strip()
        take(browser, f"{house.url}/_channel", folder / "alert.png", (620, 720))
        take(browser, page, folder / "page.png", (1280, 900))


def take(browser: str, url: str, file: Path, size: tuple[int, int]) -> None:
    """A picture of the page at `url`, with few colours, so that it is small. Raises UnavailableError."""
    from PIL import Image

    with tempfile.TemporaryDirectory(prefix="cat-") as profile:
        done = subprocess.run(  # noqa: S603 - a browser of the system
            [browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
             f"--user-data-dir={profile}", f"--window-size={size[0]},{size[1]}", "--force-device-scale-factor=1",
             "--virtual-time-budget=4000", f"--screenshot={file.absolute()}", url],
            capture_output=True, text=True, timeout=60)
    if done.returncode != 0 or not file.is_file():
        raise UnavailableError(f"the browser made no picture: {done.stderr[-300:]}")
    with Image.open(file) as picture:
        small = picture.convert("RGB").quantize(COLOURS)
    small.save(file, optimize=True)

"""Headless Chromium: what a page shows, says on its console and asks the network for."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next(filter(None, map(shutil.which, _NAMES)), "")

needs_browser = pytest.mark.skipif(
    not BROWSER, reason=f"no browser on this machine: none of {', '.join(_NAMES)}"
)


def look_at(page: Path, scratch: Path, *, width_px: int = 390, dark: bool = False) -> Path:
    """Open a page and return a screenshot, having seen no error and no request to the network."""
    scratch.mkdir(parents=True, exist_ok=True)
    log, image = scratch / "net.json", scratch / "page.png"
    words = [
        BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
        "--disable-background-networking", f"--log-net-log={log}",
        f"--user-data-dir={scratch / 'profile'}", f"--window-size={width_px},900",
        *(["--blink-settings=preferredColorScheme=0"] if dark else []),
        f"--screenshot={image}", page.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert image.read_bytes()[:4] == b"\x89PNG"
    assert "CONSOLE" not in done.stderr
    assert _requests_of_page(log) == []
    return image


def _requests_of_page(log: Path) -> list[str]:
    """What the page asked for; the browser's own errands have no origin."""
    found = json.loads(log.read_text(errors="replace"))["events"]
    asked = [event["params"] for event in found if "initiator" in event.get("params", {})]
    urls = [str(p.get("url", "")) for p in asked if p["initiator"] != "not an origin"]
    return [url for url in urls if not url.startswith(("file:", "data:"))]

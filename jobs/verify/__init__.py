"""verify: proves the invariants of design §2 on any lake, from the stored files alone."""

from jobs.verify.prove import verify
from jobs.verify.report import INVARIANTS, Finding, Report

__all__ = ["INVARIANTS", "Finding", "Report", "verify"]

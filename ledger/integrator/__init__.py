"""Integrates: every hospital's events become leaves of its log, whose heads are signed, cosigned and published."""

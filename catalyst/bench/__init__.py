"""Benches: what Catalyst's parts cost beside a plain peer that does the same work. No actor imports this package."""

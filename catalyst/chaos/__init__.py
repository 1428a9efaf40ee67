"""Proof by violence: a seeded plan of blows against a running house, and the verdict over what is left."""

"""Three chat servers to test: as first written, as repaired, and as it should have been.

They import nothing of the harness. `docs/protocol.md` describes what each of them says and how each of them fails.
"""

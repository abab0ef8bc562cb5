"""Evidence: what happened on the wire, and pictures of it.

A capture is taken beside a scenario (`ring`), tied to its people (`flows`), judged as records of the history, and kept
for those who want to look: `capture.pcapng`, `packets.json`, the sequence diagram, the plots. Nothing here can change
the verdict of another property: a capture that cannot be had is a reason, told once.
"""
